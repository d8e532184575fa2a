import type { ServerHello, UsageResponse } from "@outcrop/client";
import { createSignal, type Accessor } from "solid-js";
import type { Client } from "../../chat/client.ts";
import { failureOf, type Failure } from "../../chat/failure.ts";
import { rangeStart, stepOf, type Range, type Step } from "./range.ts";

export const GROUPS = ["model", "session", "user", "organization", "day"] as const;
export type Group = (typeof GROUPS)[number];

export const SCOPES = ["own", "organization", "all"] as const;
export type Scope = (typeof SCOPES)[number];

/** Whose usage a person may see. Where nobody shows a token there is one person only. */
export function scopesOf(server: ServerHello | undefined): readonly Scope[] {
  if (server?.expiresInMs === undefined) return ["own"];
  return { user: ["own"] as const, administrator: ["own", "organization"] as const, operator: SCOPES }[server.principal.role];
}

/** By what it may be summed: all organizations together only where more than one is seen. */
export function groupsOf(scope: Scope): readonly Group[] {
  return GROUPS.filter((group) => group !== "organization" || scope === "all");
}

/** What a person asks to see. */
export interface Choice {
  readonly range: Range;
  readonly group: Group;
  readonly scope: Scope;
}

/** What the proxy said to a choice: rows for the table, and rows over time for the charts. */
export interface Report {
  readonly choice: Choice;
  readonly step: Step;
  readonly table: UsageResponse;
  readonly series: UsageResponse;
}

export interface ReportState {
  /** `loading` with a report is a refresh: the old figures stay until the new ones come. */
  readonly phase: "loading" | "loaded" | "failed";
  readonly choice: Choice;
  readonly report?: Report;
  readonly failure?: Failure;
}

export type ReportEvent =
  | { type: "asked"; choice: Choice }
  | { type: "came"; report: Report }
  | { type: "failed"; failure: Failure };

/** The state after an event. Pure. */
export function reduceReport(state: ReportState, event: ReportEvent): ReportState {
  switch (event.type) {
    case "asked": {
      // Figures of another choice would be shown under the wrong name.
      const isSame = state.report !== undefined && sameChoice(state.report.choice, event.choice);
      return { phase: "loading", choice: event.choice, ...(isSame && state.report ? { report: state.report } : {}) };
    }
    case "came":
      return { phase: "loaded", choice: event.report.choice, report: event.report };
    case "failed":
      return { ...state, phase: "failed", failure: event.failure };
  }
}

function sameChoice(a: Choice, b: Choice): boolean {
  return a.range === b.range && a.group === b.group && a.scope === b.scope;
}

export interface UsageReports {
  readonly state: Accessor<ReportState>;
  /** Asks for the figures of a choice; those of an earlier one no longer count. */
  load(choice: Choice): Promise<void>;
  /** Asks for the present ones anew. */
  reload(): Promise<void>;
}

export function makeReports(options: { client: Client; choice: Choice; clock: () => number }): UsageReports {
  const { client, clock } = options;
  const [state, setState] = createSignal<ReportState>({ phase: "loading", choice: options.choice });
  let latest = 0;

  function dispatch(event: ReportEvent): void {
    setState((current) => reduceReport(current, event));
  }

  async function load(choice: Choice): Promise<void> {
    const request = ++latest;
    dispatch({ type: "asked", choice });
    // The end is left to the proxy's clock, which is the one that counts.
    const from = new Date(rangeStart(choice.range, clock())).toISOString();
    const step = stepOf(choice.range);
    const scope = choice.scope === "own" ? {} : { scope: choice.scope };
    try {
      const asked = client.usageReport({ from, groupBy: choice.group, ...scope });
      const [table, series] = await Promise.all([asked, step === choice.group ? asked : client.usageReport({ from, groupBy: step, ...scope })]);
      if (request === latest) dispatch({ type: "came", report: { choice, step, table, series } });
    } catch (error) {
      if (request === latest) dispatch({ type: "failed", failure: failureOf(error, clock()) });
    }
  }

  return { state, load, reload: () => load(state().choice) };
}
