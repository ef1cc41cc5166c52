"""The project the demo agent works on: a parcel shop's shipping code, made up and held in memory.

Written by rules rather than by hand, so that its files have the size of real ones; the same every time.
"""

from __future__ import annotations

ROOT = "/home/dev/parcel"

_COUNTRIES = (
    "AT",
    "BE",
    "CH",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GB",
    "HU",
    "IE",
    "IT",
    "NL",
    "NO",
    "PL",
    "SE",
)
_SERVICES = ("letter", "standard", "express", "pallet")

_FEES = '''
def shipping_fee(order: Order, zone: Zone, settings: Settings) -> float:
    """The fee of one order: the cheapest rate that takes its weight, plus surcharges."""
    rate = cheapest_rate(zone.country, order.weight)
    amount = rate.base + rate.per_kilo * order.weight
    if order.weight > settings.heavy_kilos:
        amount += heavy_surcharge(order.weight, settings)
    if order.fragile:
        amount *= settings.fragile_factor
    return round(amount)


def heavy_surcharge(weight: float, settings: Settings) -> float:
    """Parcels over the limit pay per started kilo; two people have to carry them."""
    started = int(weight - settings.heavy_kilos) + 1
    return started * settings.heavy_fee


def free_shipping(basket_value: float, zone: Zone, settings: Settings) -> bool:
    """Orders over the threshold ship for free inside the home zone."""
    return zone.home and basket_value >= settings.free_from
'''
_CHECKOUT = '''
def checkout(basket: Basket, customer: Customer, settings: Settings) -> Receipt:
    """Prices a basket, adds the fee and takes the payment."""
    goods = legacy_total(basket)
    zone = zone_of(customer.country)
    fee = 0.0 if free_shipping(goods, zone, settings) else shipping_fee(basket.order(), zone, settings)
    return Receipt(goods=goods, shipping=fee, total=goods + fee)


def legacy_total(basket: Basket) -> float:
    """What the goods cost without shipping. Named so since the move to one currency."""
    return sum(line.price * line.count for line in basket.lines)
'''
_LABELS = '''
def label_for(order: Order, carrier: Carrier) -> Label:
    """An order becomes a label: address, service mark, barcode."""
    return Label(address=order.address.lines(), service=carrier.mark(order), barcode=barcode(order.number))


def print_label(label: Label, printer: Printer) -> None:
    """Sends one label to the printer in the packing room."""
    printer.send(render(label))


def barcode(number: int) -> str:
    """The order's number with its check digit."""
    digits = f"{number:011d}"
    check = sum(int(d) * (3 if n % 2 == 0 else 1) for n, d in enumerate(digits)) % 10
    return digits + str(check)
'''
_PRINTER = '''
class Printer:
    """The label printer: one socket, one queue, no patience."""

    def __init__(self, host: str, port: int = 9100) -> None:
        self.address = (host, port)

    def send(self, page: bytes) -> None:
        """Fails at once when the printer is offline."""
        with socket.create_connection(self.address, timeout=2.0) as line:
            line.sendall(page)
'''
_SETTINGS = '''
def load_settings(path: Path, environment: Mapping[str, str]) -> Settings:
    """Reads parcel.toml, then lets PARCEL_* variables win over it."""
    values = tomllib.loads(path.read_text()) if path.exists() else {}
    for name in SETTING_NAMES:
        if text := environment.get(f"PARCEL_{name.upper()}"):
            values[name] = parse_setting(name, text)
    return Settings(**values)
'''
_ORDERS = '''
class Order:
    """What one customer bought: lines, weight, address."""

    def shipment(self, settings: Settings) -> Shipment:
        """The order as the carrier sees it; pallets are split before they get here."""
        return Shipment(number=self.number, weight=self.weight, address=self.address)


PACKING_KILOS = 0.2


def basket_weight(lines: list[Line]) -> float:
    """Kilos of everything in the basket, packing included."""
    return PACKING_KILOS + sum(line.weight * line.count for line in lines)
'''
_PACKING = '''
def pack(order: Order, carrier: Carrier, room: PackingRoom) -> None:
    """One order leaves the packing room: weighed, labelled, on the pallet."""
    room.scales.check(order.weight)
    print_label(label_for(order, carrier), room.printer)
    room.pallet.add(order)
'''
_APP = '''
def main() -> None:
    """Starts the shop: settings, printer, orders of the night."""
    settings = load_settings(CONFIG, os.environ)
    for order in orders_of_the_night(settings):
        pack(order, carrier_for(order, settings), PackingRoom.open(settings))
'''
_REPORTS = '''
def month(orders: list[Order], settings: Settings) -> Report:
    """What shipping brought in and what it cost, by zone."""
    fees = {order.number: shipping_fee(order, zone_of(order.country), settings) for order in orders}
    return Report(fees=fees, heavy=[o for o in orders if o.weight > settings.heavy_kilos])
'''
_RETURNS = '''
def return_label(order: Order, carrier: Carrier, printer: Printer) -> Label:
    """A parcel that comes back gets a label as well, without a fee."""
    label = label_for(order.turned_round(), carrier)
    print_label(label, printer)
    return label
'''
_NIGHT = '''
def orders_of_the_night(settings: Settings) -> Iterator[Order]:
    """Orders that came in after the last pallet left; load_settings decides when that is."""
    for row in database(settings).rows(since=settings.last_pallet):
        yield Order.of(row)
'''
_TESTS = """
def test_heavy_parcels_cost_more() -> None:
    assert shipping_fee(order(weight=31), HOME, SETTINGS) > shipping_fee(order(weight=29), HOME, SETTINGS)


def test_fees_keep_their_cents() -> None:
    assert shipping_fee(order(weight=1.3), HOME, SETTINGS) == 6.18
"""


def files() -> dict[str, str]:
    """Path to content; paths are absolute."""
    made = {
        "src/parcel/fees.py": _module("Shipping fees.", _FEES, _rows("Fee", 136)),
        "src/parcel/rates.py": _module("Carrier rates by country.", "", _rows("Rate", 253)),
        "src/parcel/checkout.py": _module("From basket to receipt.", _CHECKOUT, _rows("Discount", 175)),
        "src/parcel/labels.py": _module("Labels: what the packing room sticks on.", _LABELS, _rows("Mark", 214)),
        "src/parcel/printer.py": _module("The label printer.", _PRINTER, _rows("Escape", 156)),
        "src/parcel/settings.py": _module("Settings of the shop.", _SETTINGS, _rows("Default", 156)),
        "src/parcel/orders.py": _module("Orders and shipments.", _ORDERS, _rows("Packing", 175)),
        "src/parcel/packing.py": _module("The packing room.", _PACKING, _rows("Box", 121)),
        "src/parcel/app.py": _module("The shop as a program.", _APP, _rows("Job", 94)),
        "src/parcel/reports.py": _module("What the month brought in.", _REPORTS, _rows("Column", 80)),
        "src/parcel/returns.py": _module("Parcels that come back.", _RETURNS, _rows("Reason", 70)),
        "src/parcel/night.py": _module("Orders of the night.", _NIGHT, _rows("Pallet", 70)),
        "src/parcel/zones.py": _module("Shipping zones.", "", _rows("Zone", 214)),
        "tests/test_fees.py": _module("Tests of shipping fees.", _TESTS, _rows("Case", 195)),
        "tests/test_labels.py": _module("Tests of labels.", "", _rows("LabelCase", 175)),
    }
    return {f"{ROOT}/{path}": content for path, content in made.items()}


def _module(title: str, code: str, table: str) -> str:
    imports = "from __future__ import annotations\n\nfrom parcel.model import Basket, Carrier, Customer, Order, Zone"
    return f'"""{title}"""\n\n{imports}\n\n{code}\n\n{table}'


def _rows(kind: str, count: int) -> str:
    """A table of plausible, distinct lines."""
    lines = [f"{kind.upper()}_TABLE = ("]
    for n in range(count):
        country, service = _COUNTRIES[n % len(_COUNTRIES)], _SERVICES[n // len(_COUNTRIES) % len(_SERVICES)]
        low, price = n // 7 + 0.5, 2.4 + n * 0.37
        lines.append(
            f'    {kind}("{country}-{n:03d}", service="{service}", from_kilos={low:.1f}, base={price:.2f}, '
            f"per_kilo={0.18 + n * 0.013:.3f}),"
        )
    return "\n".join([*lines, ")\n"])
