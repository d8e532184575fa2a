import { announcements, answer, composer, empty, files, gauge, markdown, panel, question, waiting } from "./english/chat.ts";
import { common } from "./english/common.ts";
import { collapsible, connection, demo, exporting, models, pageTotal, sessions, settings } from "./english/conversations.ts";
import { errors, failure, faults } from "./english/failures.ts";
import { budgets, time, units, usage } from "./english/figures.ts";
import { approval, tools } from "./english/tools.ts";
import { usagePage } from "./english/usage-page.ts";

/**
 * Every text that a person sees or hears from these components, by where it stands: strings, and functions where values are told. Numbers
 * come as `Amount`s, everything else as the text that it is shown as.
 */
export const english = {
  common,
  units,
  time,
  errors,
  faults,
  connection,
  demo,
  sessions,
  export: exporting,
  models,
  settings,
  pageTotal,
  collapsible,
  panel,
  empty,
  composer,
  files,
  question,
  answer,
  failure,
  waiting,
  announcements,
  tools,
  approval,
  markdown,
  gauge,
  usage,
  budgets,
  usagePage,
};

/** Every text of the components, in groups. */
export type Texts = typeof english;
