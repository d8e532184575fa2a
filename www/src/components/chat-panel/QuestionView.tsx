import type { Question } from "../../chat/state.ts";
import { timeOfDay } from "../../format/time.ts";

/** What the person said, as it was typed. */
export function QuestionView(props: { question: Question }) {
  return (
    <article class="oc-message oc-question" aria-label={`You, ${timeOfDay(props.question.at)}`}>
      <p dir="auto" class="oc-question-text">{props.question.text}</p>
    </article>
  );
}
