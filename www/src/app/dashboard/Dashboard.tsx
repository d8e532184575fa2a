import type { Conversations } from "@outcrop/solid";
import { AnswerChart } from "./AnswerChart.tsx";
import { Figures } from "./Figures.tsx";
import { ModelTable } from "./ModelTable.tsx";
import { RecentAnswers } from "./RecentAnswers.tsx";
import { UsageByModel } from "./UsageByModel.tsx";
import "./dashboard.css";

/** What this page has asked of Claude since it was loaded: every figure was measured here or reported by the proxy. */
export function Dashboard(props: { conversations: Conversations }) {
  const answers = () => props.conversations.answers();
  return (
    <div class="oc-dash">
      <div class="oc-dash-head">
        <h1>This page</h1>
        <p class="oc-muted">Answers, tokens and cost since it was loaded. <a href="#/usage">All usage</a></p>
      </div>
      <Figures usage={props.conversations.usage()} answers={answers()} />
      <AnswerChart answers={answers()} />
      <UsageByModel usage={props.conversations.usage()} />
      <RecentAnswers answers={answers()} />
      <ModelTable server={props.conversations.server()} />
    </div>
  );
}
