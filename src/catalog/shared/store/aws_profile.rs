//! The files in which the tools of AWS keep a person's credentials.
//!
//! The environment comes first; `~/.aws/credentials` and `~/.aws/config` fill in what it does not say, for
//! the profile of `AWS_PROFILE`, else `default`. Only keys that stand in these files are read: a session of
//! single sign-on is put into the environment by `aws configure export-credentials --format env`.

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use std::path::PathBuf;

/// Larger files are none of these.
const MAX_BYTES: u64 = 1024 * 1024;

/// Fills in what the environment does not say.
pub(super) fn apply(builder: AmazonS3Builder) -> AmazonS3Builder {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let profile = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
    let profile = profile.as_deref().unwrap_or("default");
    let credentials = read("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    let config = read("AWS_CONFIG_FILE", "config");
    let find = |key: &str| {
        value(&credentials, profile, key).or_else(|| {
            let section =
                if profile == "default" { profile.to_owned() } else { format!("profile {profile}") };
            value(&config, &section, key)
        })
    };
    let mut builder = builder;
    let elsewhere = [
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_SKIP_SIGNATURE",
    ];
    if !elsewhere.iter().any(|name| set(name))
        && let (Some(id), Some(secret)) = (find("aws_access_key_id"), find("aws_secret_access_key"))
    {
        builder = builder.with_access_key_id(id).with_secret_access_key(secret);
        if let Some(token) = find("aws_session_token") {
            builder = builder.with_token(token);
        }
    }
    if !set("AWS_REGION")
        && !set("AWS_DEFAULT_REGION")
        && let Some(region) = find("region")
    {
        builder = builder.with_config(AmazonS3ConfigKey::Region, region);
    }
    builder
}

fn read(variable: &str, name: &str) -> String {
    let own = std::env::var_os(variable).map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".aws").join(name));
    let Some(path) = own.or_else(home) else { return String::new() };
    let small = std::fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() <= MAX_BYTES);
    if small { std::fs::read_to_string(path).unwrap_or_default() } else { String::new() }
}

/// Returns a value of a section of such a file.
fn value(text: &str, section: &str, key: &str) -> Option<String> {
    let mut is_in = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_in = name.trim() == section;
        } else if let Some((name, value)) = line.split_once('=').filter(|_| is_in)
            && name.trim() == key
        {
            return Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_section() {
        let text = "[default]\naws_access_key_id = A\n# x\n[profile work]\nregion=eu-central-1\naws_access_key_id=\n";
        assert_eq!(value(text, "default", "aws_access_key_id").as_deref(), Some("A"));
        assert_eq!(value(text, "profile work", "region").as_deref(), Some("eu-central-1"));
        assert_eq!(value(text, "profile work", "aws_access_key_id"), None);
        assert_eq!(value(text, "default", "region"), None);
    }
}
