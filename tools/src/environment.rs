//! What of the proxy's environment a server that is its child gets to see: little, and nothing of AWS.

/// What programs need to run, and those that fetch them to find their caches and to trust the network they are in.
const HANDED_ON: [&str; 16] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
];
/// What programs on Windows need besides.
#[cfg(windows)]
const HANDED_ON_BESIDES: &[&str] = &[
    "APPDATA",
    "COMSPEC",
    "LOCALAPPDATA",
    "PATHEXT",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERNAME",
    "USERPROFILE",
    "WINDIR",
];
#[cfg(not(windows))]
const HANDED_ON_BESIDES: &[&str] = &[];

/// So that an AWS SDK in a child looks neither into files nor asks the machine.
const WITHOUT_AWS: [(&str, &str); 3] = [
    ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ("AWS_CONFIG_FILE", "/dev/null"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

/// Whether `name` can be that of a variable.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether the variable `name` is one of AWS's.
pub(crate) fn is_of_aws(name: &str) -> bool {
    name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("AWS_"))
}

/// The whole environment of a child: the usual, `inherited` by name, and `own`.
pub(crate) fn of_child(
    env: &dyn Fn(&str) -> Option<String>,
    inherited: &[String],
    own: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let usual = HANDED_ON.iter().chain(HANDED_ON_BESIDES).copied();
    let mut all: Vec<(String, String)> = usual
        .chain(inherited.iter().map(String::as_str))
        .filter_map(|name| Some((name.to_owned(), env(name)?)))
        .collect();
    all.extend(own);
    all.retain(|(name, _)| !is_of_aws(name));
    all.extend(WITHOUT_AWS.map(|(name, value)| (name.to_owned(), value.to_owned())));
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_child_gets_the_usual_what_is_named_and_nothing_of_aws() {
        let proxy = |name: &str| Some(format!("proxy's {name}"));
        let own = vec![("TZ".to_owned(), "UTC".to_owned()), ("aws_profile".to_owned(), "p".to_owned())];
        let inherited = ["DATABASE_URL".to_owned(), "AWS_SESSION_TOKEN".to_owned()];
        let child: BTreeMap<_, _> = of_child(&proxy, &inherited, own).into_iter().collect();
        assert_eq!(child["PATH"], "proxy's PATH");
        assert_eq!(child["DATABASE_URL"], "proxy's DATABASE_URL");
        assert_eq!(child["TZ"], "UTC");
        assert!(!child.contains_key("OUTCROP_JWT_SECRET"));
        let of_aws: Vec<_> = child
            .iter()
            .filter(|(name, _)| is_of_aws(name))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let expected = [
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ];
        assert_eq!(of_aws, expected);
    }
}
