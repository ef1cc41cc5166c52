// What the words of a turn mean; the page's short legend.

export const OUTCOMES = ["skipped", "accepted", "enhanced", "direct"];

export const OUTCOME_WORDS = {
  skipped: "the draft is the answer",
  accepted: "the verify model let the draft stand",
  enhanced: "the verify model saw the draft and took its own step",
  direct: "the verify model answered alone",
};

export const VERDICTS = {
  accept: "the verify model would do just that",
  act: "the verify model took its own step instead",
  none: "nothing that could be used",
};

export const PERIOD_WORDS = {
  today: "today",
  yesterday: "yesterday",
  week: "this week",
  month: "this month",
  all: "of all time",
};

export const A_SAVING_BELONGS =
  "A saving belongs to a whole session: what a skipped turn saves, the next one may pay in part.";
export const SIMULATED = "Simulated models, simulated prices: no real money was spent or saved here.";
