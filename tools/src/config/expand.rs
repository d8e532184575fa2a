//! `${NAME}` in values of the file.

use crate::environment;

/// `text` with every `${NAME}` and `${NAME:-otherwise}` replaced from `env`.
pub(super) fn expand(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        expanded.push_str(before);
        let (inside, after) = after.split_once('}').ok_or("a \"${\" has no \"}\"; close it")?;
        let (name, otherwise) = match inside.split_once(":-") {
            Some((name, otherwise)) => (name, Some(otherwise)),
            None => (inside, None),
        };
        if !environment::is_name(name) {
            return Err("what is in a \"${…}\" is no name of a variable: letters, digits and \"_\"".into());
        }
        if environment::is_of_aws(name) {
            return Err(format!(
                "${{{name}}}: what belongs to AWS is not handed on; name the variable differently if it is no credential"
            ));
        }
        let value = env(name).filter(|value| !value.is_empty()).or(otherwise.map(str::to_owned));
        expanded
            .push_str(&value.ok_or_else(|| format!("${{{name}}} is not set; set {name} in the proxy's environment"))?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "TOKEN" => Some("s3cret".into()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn variables_are_replaced_wherever_they_are() {
        for (text, expected) in [
            ("plain", "plain"),
            ("${TOKEN}", "s3cret"),
            ("Bearer ${TOKEN}, $TOKEN, ${TOKEN}", "Bearer s3cret, $TOKEN, s3cret"),
            ("${NONE:-port}:${EMPTY:-80}", "port:80"),
            ("${NONE:-}", ""),
        ] {
            assert_eq!(expand(text, &env).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_replaced_is_an_error_that_says_what_to_do() {
        for (text, expected) in [
            ("${NONE}", "${NONE} is not set; set NONE in the proxy's environment"),
            ("${EMPTY}", "${EMPTY} is not set; set EMPTY in the proxy's environment"),
            ("a ${TOKEN", "a \"${\" has no \"}\"; close it"),
            ("${}", "no name of a variable"),
            ("${s3cret value}", "no name of a variable"),
            ("${AWS_SECRET_ACCESS_KEY}", "not handed on"),
            ("${aws_session_token:-x}", "not handed on"),
        ] {
            let error = expand(text, &env).unwrap_err();
            assert!(error.contains(expected) && !error.contains("s3cret"), "{text}: {error}");
        }
    }
}
