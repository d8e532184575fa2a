import { announcements, answer, composer, empty, files, gauge, markdown, panel, waiting } from "./english/chat.ts";
import { common } from "./english/common.ts";
import { collapsible, connection, demo, models, pageTotal, sessions, settings } from "./english/conversations.ts";
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
  models,
  settings,
  pageTotal,
  collapsible,
  panel,
  empty,
  composer,
  files,
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

export type Texts = typeof english;
