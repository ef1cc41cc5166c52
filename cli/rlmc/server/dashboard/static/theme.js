// The theme chosen earlier, set before anything is painted. A classic script: a module would come too late.
try {
  const chosen = localStorage.getItem("rlmc-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // No storage: the system's theme it is.
}
