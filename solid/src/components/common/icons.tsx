import type { JSX, ParentProps } from "solid-js";

/** A drawing of 20 by 20 units in the colour of the text around it; the words beside it carry the meaning. */
function Icon(props: ParentProps): JSX.Element {
  return (
    <svg class="oc-icon" viewBox="0 0 20 20" width="18" height="18" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      {props.children}
    </svg>
  );
}

export const CopyIcon = () => <Icon><rect x="7" y="7" width="9" height="9" rx="2" /><path d="M13 4.5A1.5 1.5 0 0 0 11.5 4h-6A1.5 1.5 0 0 0 4 5.5v6c0 .6.2 1.1.5 1.5" /></Icon>;
export const CheckIcon = () => <Icon><path d="m4.5 10.5 3.5 3.5 7.5-8" /></Icon>;
export const SendIcon = () => <Icon><path d="M10 16V4.5M5 9.2l5-5 5 5" /></Icon>;
export const StopIcon = () => <Icon><rect x="5.5" y="5.5" width="9" height="9" rx="1.5" fill="currentColor" /></Icon>;
export const RetryIcon = () => <Icon><path d="M15.5 8A6 6 0 1 0 16 11" /><path d="M16 4.5V8h-3.5" /></Icon>;
export const DownIcon = () => <Icon><path d="M10 4v11.5M5 10.8l5 5 5-5" /></Icon>;
export const DownloadIcon = () => <Icon><path d="M10 3.5v8.5M6.3 8.6l3.7 3.7 3.7-3.7M4 15.5h12" /></Icon>;
export const ChatIcon = () => <Icon><path d="M3.5 9.5c0-3.3 2.9-6 6.5-6s6.5 2.7 6.5 6-2.9 6-6.5 6c-.9 0-1.8-.2-2.6-.5L4 16l.9-2.9a5.7 5.7 0 0 1-1.4-3.6Z" /></Icon>;
export const PinIcon = () => <Icon><rect x="3" y="4" width="14" height="12" rx="2" /><path d="M12 4v12" /></Icon>;
export const UnpinIcon = () => <Icon><rect x="3" y="4" width="14" height="12" rx="2" /><path d="M9.5 10.5h5v3.5h-5z" /></Icon>;
export const MinimiseIcon = () => <Icon><path d="M5 14.5h10" /></Icon>;
export const PlusIcon = () => <Icon><path d="M10 4.5v11M4.5 10h11" /></Icon>;
export const PencilIcon = () => <Icon><path d="m4 16 .8-3.2L13 4.6a1.4 1.4 0 0 1 2 0l.4.4a1.4 1.4 0 0 1 0 2L7.2 15.2Z" /></Icon>;
export const TrashIcon = () => <Icon><path d="M4 6h12M8 6V4.5h4V6M5.5 6l.7 9.5h7.6L14.5 6" /></Icon>;
export const ListIcon = () => <Icon><path d="M4 6h12M4 10h12M4 14h8" /></Icon>;
export const GearIcon = () => <Icon><circle cx="10" cy="10" r="2.4" /><path d="M8.6 3h2.8l.4 1.9 1.5.9 1.9-.6 1.4 2.4-1.5 1.3v1.8l1.5 1.3-1.4 2.4-1.9-.6-1.5.9-.4 1.9H8.6l-.4-1.9-1.5-.9-1.9.6L3.4 12.8l1.5-1.3V9.7L3.4 8.4 4.8 6l1.9.6 1.5-.9Z" /></Icon>;
export const SearchIcon = () => <Icon><circle cx="9" cy="9" r="5" /><path d="m12.7 12.7 3.8 3.8" /></Icon>;
export const CloseIcon = () => <Icon><path d="m5 5 10 10M15 5 5 15" /></Icon>;
export const WarningIcon = () => <Icon><path d="M10 3.5 17 16H3Z" /><path d="M10 8.5v3.5M10 14.2v.1" /></Icon>;
export const BookIcon = () => <Icon><path d="M10 5.5C8.5 4.5 6.5 4 4 4v11c2.5 0 4.5.5 6 1.5 1.5-1 3.5-1.5 6-1.5V4c-2.5 0-4.5.5-6 1.5Z" /><path d="M10 5.5v11" /></Icon>;
export const PaperclipIcon = () => <Icon><path d="m15.5 9.2-5.8 5.9a3.6 3.6 0 0 1-5.1-5.1l6.2-6.2a2.4 2.4 0 0 1 3.4 3.4l-6.1 6.1a1.2 1.2 0 0 1-1.7-1.7l5.4-5.4" /></Icon>;
export const FileIcon = () => <Icon><path d="M11.5 3.5h-5A1.5 1.5 0 0 0 5 5v10a1.5 1.5 0 0 0 1.5 1.5h7A1.5 1.5 0 0 0 15 15V7Z" /><path d="M11.5 3.5V7H15" /></Icon>;
export const ToolIcon = () => <Icon><path d="M13.2 3.8a3.8 3.8 0 0 0-4.6 5L3.9 13.5a1.8 1.8 0 0 0 2.6 2.6l4.7-4.7a3.8 3.8 0 0 0 5-4.6l-2.3 2.3-2.1-.9-.9-2.1Z" /></Icon>;
export const ThoughtIcon = () => <Icon><path d="M10 3.5v2.3M10 14.2v2.3M3.5 10h2.3M14.2 10h2.3M5.4 5.4 7 7M13 13l1.6 1.6M14.6 5.4 13 7M7 13l-1.6 1.6" /></Icon>;
export const SpinnerIcon = () => <Icon><path d="M10 3.5a6.5 6.5 0 1 1-6.5 6.5" /></Icon>;
export const HandIcon = () => <Icon><circle cx="10" cy="10" r="6.5" /><path d="M8.3 7.5v5M11.7 7.5v5" /></Icon>;
export const QuestionIcon = () => <Icon><circle cx="10" cy="10" r="6.5" /><path d="M8.2 8.2a1.9 1.9 0 1 1 2.7 1.7c-.6.3-.9.7-.9 1.3M10 13.4v.1" /></Icon>;
export const DeniedIcon = () => <Icon><circle cx="10" cy="10" r="6.5" /><path d="m5.5 5.5 9 9" /></Icon>;
export const ChevronIcon = () => <Icon><path d="m8 6 4 4-4 4" /></Icon>;
