//! Addresses that show files to people: made, and taken apart again.

use super::Wanted;
use url::Url;

/// Makes the address of a file: `https://host/base/acme/shop/blob/main/a/b.yaml`. `words` stand between
/// repository and revision; each part is escaped as it needs.
pub fn page_url(base: &Url, repository: &str, words: &[&str], revision: &str, path: &str) -> Option<Url> {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    {
        let mut parts = url.path_segments_mut().ok()?;
        parts.pop_if_empty().extend(repository.split('/'));
        parts.extend(words).extend(revision.split('/')).extend(path.split('/'));
    }
    Some(url)
}

/// Takes the address of a file apart. `shapes` lists the words that may stand between repository and
/// revision; `branch` gives the branch of a known repository, for branches with a `/`.
pub fn split_page(
    base: &Url,
    url: &Url,
    shapes: &[&[&str]],
    branch: &dyn Fn(&str) -> Option<String>,
) -> Option<Wanted> {
    if base.origin() != url.origin() {
        return None;
    }
    let below = url.path().strip_prefix(base.path().trim_end_matches('/'))?.strip_prefix('/')?;
    let parts: Vec<String> = below.split('/').map(decoded).collect();
    // the first place where one of the shapes stands, behind an owner and a name at least
    let (at, words) = (2..parts.len()).find_map(|at| {
        let rest = parts.get(at..)?;
        let fits = |words: &&&[&str]| {
            rest.len() > words.len() && rest.iter().zip(words.iter()).all(|(part, word)| part == word)
        };
        shapes.iter().find(fits).map(|words| (at, words.len()))
    })?;
    let repository = parts.get(..at)?.join("/");
    let rest = parts.get(at + words..)?.join("/");
    let known = branch(&repository);
    let of_known = known.as_deref().and_then(|branch| {
        let path = rest.strip_prefix(branch)?.strip_prefix('/')?;
        Some((branch, path))
    });
    let (revision, path) = match of_known {
        Some(found) => found,
        None => rest.split_once('/')?,
    };
    let is_file = !path.is_empty() && !path.split('/').any(|part| matches!(part, "" | "." | ".."));
    is_file.then(|| Wanted {
        repository: repository.clone(),
        revision: Some(revision.to_owned()),
        path: path.to_owned(),
    })
}

/// Undoes the `%20` of addresses; what is no text afterwards stays as it is.
pub fn decoded(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = |offset: usize| bytes.get(at + offset).and_then(|b| char::from(*b).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (byte, hex(1), hex(2)) {
            out.push((high * 16 + low) as u8);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPES: &[&[&str]] = &[&["blob"], &["tree"], &["-", "blob"], &["src", "branch"]];

    fn split(base: &str, url: &str) -> Option<(String, String, String)> {
        let branch = |path: &str| (path == "acme/shop").then(|| "release/1.0".to_owned());
        let wanted = split_page(&Url::parse(base).unwrap(), &Url::parse(url).unwrap(), SHAPES, &branch)?;
        Some((wanted.repository, wanted.revision.unwrap(), wanted.path))
    }

    #[test]
    fn takes_addresses_apart() {
        let cases = [
            ("https://h.io", "https://h.io/o/r/blob/main/a/b.yaml", Some(("o/r", "main", "a/b.yaml"))),
            ("https://h.io/", "https://h.io/o/r/tree/v1/b.yaml", Some(("o/r", "v1", "b.yaml"))),
            ("https://h.io/x", "https://h.io/x/o/r/blob/main/b.yaml", Some(("o/r", "main", "b.yaml"))),
            ("https://h.io/x", "https://h.io/o/r/blob/main/b.yaml", None),
            ("https://h.io", "https://h.io/g/s/r/-/blob/main/b.yaml", Some(("g/s/r", "main", "b.yaml"))),
            ("https://h.io", "https://h.io/o/r/src/branch/main/b.yaml", Some(("o/r", "main", "b.yaml"))),
            (
                "https://h.io",
                "https://h.io/acme/shop/blob/release/1.0/b.yaml",
                Some(("acme/shop", "release/1.0", "b.yaml")),
            ),
            (
                "https://h.io",
                "https://h.io/acme/shop/blob/main/b.yaml",
                Some(("acme/shop", "main", "b.yaml")),
            ),
            ("https://h.io", "https://h.io/o/r/blob/main/a%20b/%7Bc%7D", Some(("o/r", "main", "a b/{c}"))),
            ("https://h.io", "https://h.io/o/r/blob/main/%2E%2E/b", None),
            ("https://h.io", "https://h.io/o/r/blob/main", None),
            ("https://h.io", "https://other.io/o/r/blob/main/b", None),
            ("https://h.io", "http://h.io/o/r/blob/main/b", None),
            ("https://h.io", "https://h.io/o/r", None),
        ];
        for (base, url, expected) in cases {
            let found = split(base, url);
            let found = found.as_ref().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str()));
            assert_eq!(found, expected, "{url}");
        }
    }

    #[test]
    fn makes_addresses_that_can_be_taken_apart() {
        let base = Url::parse("https://h.io/x/").unwrap();
        let url = page_url(&base, "acme/shop", &["blob"], "release/1.0", "a b/#c?.yaml").unwrap();
        assert_eq!(url.as_str(), "https://h.io/x/acme/shop/blob/release/1.0/a%20b/%23c%3F.yaml");
        let (_, revision, path) = split("https://h.io/x/", url.as_str()).unwrap();
        assert_eq!((revision.as_str(), path.as_str()), ("release/1.0", "a b/#c?.yaml"));
    }
}
