//! For tests, here and in `fuzz/`: what separates texts that this reader takes from those that `serde_json` takes.

/// The text with a plain 0 for whatever begins like a number, since the reader does not look inside numbers that it passes over;
/// and how deep it nests, since the reader has a bound.
pub(crate) fn without_numbers(text: &str) -> (String, usize) {
    let (mut plain, mut depth, mut deepest) = (String::with_capacity(text.len()), 0usize, 0);
    let (mut string, mut escaped, mut number) = (false, false, false);
    for char in text.chars() {
        let in_number = number;
        number = match char {
            '-' | '0'..='9' => !string,
            '+' | '.' | 'e' | 'E' => number,
            _ => false,
        };
        if number {
            if !in_number {
                plain.push('0');
            }
            continue;
        }
        match char {
            _ if escaped => escaped = false,
            '\\' if string => escaped = true,
            '"' => string = !string,
            '[' | '{' if !string => depth += 1,
            ']' | '}' if !string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
        plain.push(char);
    }
    (plain, deepest)
}
