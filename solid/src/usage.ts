/** The page of usage and cost, apart from the rest since its charts are half as much as the chat. */
export { UsagePage, type UsagePageProps } from "./components/usage-page/UsagePage.tsx";
