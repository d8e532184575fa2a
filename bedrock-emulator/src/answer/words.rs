//! Words of prompts, names and descriptions, so that those that mean the same are equal.

/// What every way of asking for money or use is.
const COST: &str = "cost";
/// Words that are enough by themselves to tell what is asked for.
pub(super) const STRONG: [&str; 2] = [COST, "budget"];
const COST_WORDS: &str = " spend spends spent spending cost costs costly usage token tokens price prices priced pricing bill bills billed \
    billing expense expenses expenditure money usd dollar dollars consumption expensive ";
/// Words of questions and descriptions that tell no tool from another; those of time are arguments.
const INSIGNIFICANT: &str = " a about above after again all also am an and any anyone anything are as ask asks assistant at be because been \
    before being below between both but by call called calls can could data describe did do does done each either every everything explain \
    find first for from get gets give given gives go had has have having hello help her here him his how i if in info information input is \
    it its just kind let like list lists look made make makes many me more much must my need no none not now number of off on one only \
    optional or other our out over own per please question questions read result results return returned returns say see she should show shown \
    shows so some such take tell than thank thanks that the their them then there these they thing things this those to too tool tools under \
    up use used useful user's uses using value values very want was way we were what when where whether which while who why will with within \
    without word words work would write yes you your ";
const TIMES: &str = " ago current daily date dates day days earlier future hour hourly hours last late latest minute minutes month monthly months next past \
    period recent recently since start end today tomorrow until week weekly weeks year yearly years yesterday time times ";

/// The words of a text or an identifier, in lower case: `topUsers_by-model` has four.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("never empty").extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The words that tell what a text is about, each once, as [`meaning`] has them.
pub(super) fn significant(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in split(text) {
        let counts = word.len() > 1 && !is_filler(&word) && !TIMES.contains(&format!(" {word} "));
        let meaning = meaning(&word);
        if counts && !found.contains(&meaning) {
            found.push(meaning);
        }
    }
    found
}

/// Whether a word says nothing of the matter, but perhaps of time.
pub(super) fn is_filler(word: &str) -> bool {
    INSIGNIFICANT.contains(&format!(" {word} "))
}

/// One for all words that mean the same here.
pub(super) fn meaning(word: &str) -> String {
    if COST_WORDS.contains(&format!(" {word} ")) { COST.to_owned() } else { stem(word) }
}

/// A word without its ending, roughly: `models` and `model` are alike, and so are `weekly` and `week`.
pub(super) fn stem(word: &str) -> String {
    match word {
        "daily" => return "day".to_owned(),
        "most" | "highest" | "biggest" | "largest" => return "top".to_owned(),
        "who" | "whom" | "people" | "person" | "persons" => return "user".to_owned(),
        _ => {}
    }
    let ending = |ending: &str, least: usize| word.strip_suffix(ending).filter(|rest| rest.chars().count() >= least);
    let plain = |rest: &str| rest.trim_end_matches('e').to_owned();
    if let Some(rest) = ending("ies", 2) {
        return format!("{rest}y");
    }
    for (suffix, least) in [("sses", 1), ("xes", 2), ("ches", 2), ("shes", 2)] {
        if let Some(rest) = ending(suffix, least) {
            return format!("{rest}{}", suffix.trim_end_matches("es"));
        }
    }
    if let Some(rest) = ending("s", 3).filter(|rest| !rest.ends_with(['s', 'u', 'i'])) {
        return plain(rest);
    }
    match ending("ing", 3).or(ending("ed", 3)).or(ending("ly", 4)) {
        Some(rest) => plain(rest),
        None if word.chars().count() > 3 => plain(word),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_sentences_are_cut_into_words() {
        assert_eq!(split("topUsers_by-model 2"), ["top", "users", "by", "model", "2"]);
        assert_eq!(significant("How much did we spend on models this week?"), ["cost", "model"]);
        assert_eq!(significant("Usage and cost, by model"), ["cost", "model"]);
        assert_eq!(significant("Explain rivers"), ["river"]);
    }

    #[test]
    fn forms_of_a_word_are_alike() {
        for (one, other) in [
            ("users", "user"),
            ("weekly", "week"),
            ("queries", "query"),
            ("boxes", "box"),
            ("compare", "comparing"),
            ("daily", "days"),
        ] {
            assert_eq!(stem(one), stem(other), "{one} {other}");
        }
        for word in ["status", "glass", "gas", "this"] {
            assert!(word.starts_with(&stem(word)) && stem(word).len() + 1 >= word.len(), "{word}");
        }
    }
}
