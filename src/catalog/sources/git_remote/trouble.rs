//! What `git` said when it failed, in words for a person: what happened, and what to do.

use super::address::GitAddress;
use super::program::GitError;
use crate::catalog::sources::SourceError;
use crate::model::text::{clean, cut};
use crate::net::NetError;

/// Longest cause, in cells.
const MAX_CAUSE: usize = 300;

/// What kind of failure the words tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The network or the host.
    Network,
    /// Not signed in, or not allowed.
    Refused,
    /// No such repository.
    NoRepository,
    /// No such branch, tag or commit.
    NoRevision,
    /// The server does not do a part of what was asked (shallow, single objects).
    Unable,
    /// Something else: maybe the clone itself.
    Other,
}

/// What to look for in lower case, what it means, what to do about it; the first that is found counts.
const SIGNS: &[(&str, Kind, &str)] = &[
    (
        "host key verification failed",
        Kind::Refused,
        "connect once with ssh by hand and compare the host's key, so that it becomes known",
    ),
    (
        "remote host identification has changed",
        Kind::Refused,
        "the host's key is another one than before: ask who runs it before you trust it",
    ),
    ("could not resolve", Kind::Network, "check the host's name, the network, or the proxy"),
    ("name or service not known", Kind::Network, "check the host's name and the network"),
    ("temporary failure in name resolution", Kind::Network, "check the network"),
    ("connection refused", Kind::Network, "check host and port, and whether the server runs"),
    ("connection timed out", Kind::Network, "check the network, a VPN, or the proxy"),
    ("failed to connect", Kind::Network, "check host and port, the network, or the proxy"),
    ("unable to connect", Kind::Network, "check host and port, and whether the server runs"),
    ("no route to host", Kind::Network, "check the network, a VPN, or the proxy"),
    ("network is unreachable", Kind::Network, "check the network"),
    ("operation too slow", Kind::Network, "the connection is too slow; try again later"),
    (
        "ssl certificate problem",
        Kind::Network,
        "tell git of your company's certificate: `git config http.sslCAInfo FILE`",
    ),
    (
        "server certificate verification failed",
        Kind::Network,
        "tell git of your company's certificate: `git config http.sslCAInfo FILE`",
    ),
    (
        "permission denied (publickey",
        Kind::Refused,
        "load your key with `ssh-add`, and add its public half to your account at the host",
    ),
    ("could not read username", Kind::Refused, SIGN_IN),
    ("could not read password", Kind::Refused, SIGN_IN),
    ("unable to get password from user", Kind::Refused, SIGN_IN),
    ("terminal prompts disabled", Kind::Refused, SIGN_IN),
    (
        "authentication failed",
        Kind::Refused,
        "the password or token is wrong or has expired; git's credential helper or `token` of the source gives it",
    ),
    ("invalid credentials", Kind::Refused, "the password or token is wrong or has expired"),
    ("returned error: 401", Kind::Refused, SIGN_IN),
    ("returned error: 403", Kind::Refused, "your account may not read it, or its token lacks the right to"),
    ("access denied", Kind::Refused, "your account may not read it"),
    (
        "dubious ownership",
        Kind::Refused,
        "the folder belongs to somebody else; trust it with `git config --global --add safe.directory PATH`",
    ),
    ("returned error: 30", Kind::NoRepository, "it has moved: write the new address"),
    ("unable to update url base", Kind::NoRepository, "it has moved: write the new address"),
    ("returned error: 429", Kind::Network, "the server limits requests; try again later"),
    ("returned error: 5", Kind::Network, "the server has a problem of its own; try again later"),
    ("not valid: is this a git repository", Kind::NoRepository, MISSING),
    ("repository not found", Kind::NoRepository, MISSING),
    ("/' not found", Kind::NoRepository, MISSING),
    ("returned error: 404", Kind::NoRepository, MISSING),
    ("project you were looking for could not be found", Kind::NoRepository, MISSING),
    ("does not appear to be a git repository", Kind::NoRepository, MISSING),
    ("not found: did you run git update-server-info", Kind::NoRepository, MISSING),
    ("repository not exported", Kind::NoRepository, MISSING),
    ("couldn't find remote ref", Kind::NoRevision, ""),
    ("not our ref", Kind::NoRevision, ""),
    ("unadvertised object", Kind::Unable, ""),
    ("does not support shallow", Kind::Unable, ""),
    ("does not support --", Kind::Unable, ""),
    ("dumb http transport", Kind::Unable, ""),
    ("unknown option", Kind::Other, "git 2.29 or later is needed"),
    ("mismatched algorithms", Kind::Other, "repositories with SHA-256 names are not read"),
    ("transport '", Kind::Refused, "only https, http, ssh, git and file are used"),
    ("no space left on device", Kind::Other, "make room on the disk of the cache folder"),
    ("connection reset", Kind::Network, "try again later"),
    ("remote end hung up", Kind::Network, "try again later"),
    ("early eof", Kind::Network, "try again later"),
    ("connection closed", Kind::Network, "try again later"),
];

const SIGN_IN: &str =
    "sign in: set up a credential helper of git, use the ssh address, or give the source a `token`";
const MISSING: &str = "check the address; private repositories look missing to those who may not read them";

/// Lines that say nothing of their own.
const EMPTY_WORDS: &[&str] = &[
    "could not read from remote repository",
    "please make sure you have the correct access rights",
    "and the repository exists",
    "early eof",
    "the remote end hung up unexpectedly",
    "fetch-pack: unexpected disconnect",
    "unpack-objects died",
    "index-pack failed",
    "warning:",
    "hint:",
    "cloning into",
    "pseudo-terminal",
    "@@@@@",
];

/// Sorts out what it said.
pub(super) fn kind(talk: &str) -> (Kind, &'static str) {
    let lower = talk.to_ascii_lowercase();
    SIGNS
        .iter()
        .find(|(sign, ..)| lower.contains(sign))
        .map_or((Kind::Other, ""), |(_, kind, hint)| (*kind, hint))
}

/// Returns the line that says most, cleaned, without what secrets an address may hold.
pub(super) fn last_words(talk: &str, address: &GitAddress) -> String {
    let lines = || talk.lines().map(str::trim).filter(|line| !line.is_empty());
    let says = |line: &&str| {
        let lower = line.to_ascii_lowercase();
        !EMPTY_WORDS.iter().any(|words| lower.contains(words))
    };
    let signs = |line: &&str| kind(line).0 != Kind::Other;
    let best = lines()
        .rfind(|line| says(line) && signs(line))
        .or_else(|| lines().rfind(|line| says(line) && line.starts_with("fatal:")))
        .or_else(|| lines().rfind(says))
        .or_else(|| lines().next_back())
        .unwrap_or("git failed without a word");
    let mut text = best;
    for start in ["remote: ", "fatal: ", "error: ", "ERROR: ", "ssh: "] {
        text = text.strip_prefix(start).unwrap_or(text).trim_start();
    }
    let text = text.replace(&address.url, &address.shown);
    cut(clean(without_logins(&text).trim_end_matches('.')).as_ref(), MAX_CAUSE).into_owned()
}

/// Takes `user:password@` out of addresses in a text.
fn without_logins(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(['/', ' ', '\'', '"']).unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        out.push_str(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Makes the error of the source from that of the program.
pub(super) fn to_source_error(error: GitError, address: &GitAddress, revision: Option<&str>) -> SourceError {
    let place = address.shown.clone();
    let host = address.host.clone();
    match error {
        GitError::Cancelled => SourceError::Cancelled,
        GitError::NotInstalled => SourceError::Unreadable {
            place,
            cause: "the program `git` is not installed, or not on the PATH".to_owned(),
            hint: Some(
                "install git; a clone on this machine is read without it with `path = \"…\"`".to_owned(),
            ),
        },
        GitError::Io(cause) => SourceError::Unreadable { place, cause, hint: None },
        GitError::TimedOut(elapsed) => SourceError::Net { place, error: NetError::Timeout { host, elapsed } },
        GitError::Failed(talk) => {
            let cause = last_words(&talk, address);
            let (kind, hint) = kind(&talk);
            let hint = (!hint.is_empty()).then(|| hint.to_owned());
            match (kind, revision) {
                (Kind::Network, _) => SourceError::Unreached { place, cause, hint: hint.unwrap_or_default() },
                (Kind::Refused, _) => SourceError::Refused { place, cause, hint: hint.unwrap_or_default() },
                (Kind::NoRevision, Some(revision)) => {
                    SourceError::UnknownRevision { place, revision: revision.to_owned() }
                }
                _ => SourceError::Unreadable { place, cause, hint },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> GitAddress {
        GitAddress::parse("https://git.acme.io/o/r.git").unwrap()
    }

    #[test]
    fn the_line_that_says_most_is_told() {
        let cases = [
            (
                "ERROR: Repository not found.\nfatal: Could not read from remote repository.\n\nPlease make sure you \
                 have the correct access rights\nand the repository exists.\n",
                Kind::NoRepository,
                "Repository not found",
            ),
            (
                "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.\n",
                Kind::Refused,
                "git@github.com: Permission denied (publickey)",
            ),
            (
                "fatal: unable to access 'https://ana:pw@git.acme.io/o/r.git/': Could not resolve host: git.acme.io",
                Kind::Network,
                "unable to access 'https://git.acme.io/o/r.git/': Could not resolve host: git.acme.io",
            ),
            (
                "fatal: could not read Username for 'https://git.acme.io': terminal prompts disabled",
                Kind::Refused,
                "could not read Username for 'https://git.acme.io': terminal prompts disabled",
            ),
            (
                "fatal: couldn't find remote ref refs/heads/x\n",
                Kind::NoRevision,
                "couldn't find remote ref refs/heads/x",
            ),
            ("remote: \u{1b}[31mbad\u{7}\n", Kind::Other, "\u{fffd}[31mbad\u{fffd}"),
            ("", Kind::Other, "git failed without a word"),
        ];
        for (talk, expected, words) in cases {
            assert_eq!(kind(talk).0, expected, "{talk}");
            assert_eq!(last_words(talk, &address()), words, "{talk}");
        }
    }
}
