//! Small programs that run as they stand, for questions about code.

/// Name as it is asked for, name of the fence, program. The first is the one for questions that name no language.
const PROGRAMS: [(&[&str], &str, &str); 7] = [
    (
        &["python"],
        "python",
        "from collections import Counter\n\n\ndef most_common(words: list[str], limit: int = 3) -> list[tuple[str, int]]:\n    return Counter(word.lower() for word in words).most_common(limit)\n\n\nprint(most_common(\"the cat and the hat and the bat\".split()))\n",
    ),
    (
        &["rust"],
        "rust",
        "use std::collections::BTreeMap;\n\nfn main() {\n    let mut counts = BTreeMap::new();\n    for word in \"the cat and the hat\".split_whitespace() {\n        *counts.entry(word).or_insert(0) += 1;\n    }\n    println!(\"{counts:?}\");\n}\n",
    ),
    (
        &["typescript"],
        "typescript",
        "function counts(words: string[]): Map<string, number> {\n  const result = new Map<string, number>();\n  for (const word of words) result.set(word, (result.get(word) ?? 0) + 1);\n  return result;\n}\n\nconsole.log(counts(\"the cat and the hat\".split(\" \")));\n",
    ),
    (
        &["javascript", "js", "node"],
        "javascript",
        "const counts = {};\nfor (const word of \"the cat and the hat\".split(\" \")) {\n  counts[word] = (counts[word] ?? 0) + 1;\n}\nconsole.log(counts);\n",
    ),
    (
        &["sql", "sqlite", "postgres"],
        "sql",
        "SELECT word, COUNT(*) AS uses\nFROM words\nWHERE length(word) > 2\nGROUP BY word\nORDER BY uses DESC, word\nLIMIT 10;\n",
    ),
    (
        &["bash", "shell"],
        "bash",
        "tr -cs 'A-Za-z' '\\n' < notes.txt | tr 'A-Z' 'a-z' | sort | uniq -c | sort -rn | head\n",
    ),
    (&["html", "css"], "html", "<article>\n  <h1>Words</h1>\n  <p>The <em>cat</em> and the hat.</p>\n</article>\n"),
];

/// The program for the language that the question names, else the first.
pub(super) fn for_question(words: &[String]) -> (&'static str, &'static str) {
    let named = PROGRAMS.iter().find(|(names, _, _)| names.iter().any(|name| words.iter().any(|word| word == name)));
    let (_, fence, program) = named.unwrap_or(&PROGRAMS[0]);
    (fence, program)
}
