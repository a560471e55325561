//! Cuts an answer into its entities without parsing them.
//!
//! An answer is a list of entities, or an object with such a list. Finding where each item starts and ends
//! needs only brackets and texts; so one item that is damaged, too deep or no JSON at all costs itself and
//! not the page, and what came before a cut is there.

/// Deepest nesting that is followed while looking for the end of an item.
const MAX_DEPTH: u32 = 10_000;

/// The items of a list, and what stands around them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Items<'a> {
    /// Each item, as bytes of JSON.
    pub items: Vec<&'a [u8]>,
    /// Whether the list ends; if not, the answer was cut.
    pub is_whole: bool,
    /// The object around the list with `[]` in the place of the list; empty when there is no object.
    pub frame: Vec<u8>,
}

/// Finds the items of a list at the root, or of the list at `key` of an object at the root.
///
/// `None` when there is no such list. At most `limit` items are returned; of one more the list is not whole.
pub fn items<'a>(bytes: &'a [u8], key: &str, limit: usize) -> Option<Items<'a>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = skip_space(bytes, 0);
    match bytes.get(start)? {
        b'[' => {
            let (items, _, is_whole) = list(bytes, start, limit);
            Some(Items { items, is_whole, frame: Vec::new() })
        }
        b'{' => {
            let list_at = member(bytes, start, key)?;
            if bytes.get(list_at) != Some(&b'[') {
                return None;
            }
            let (items, end, is_whole) = list(bytes, list_at, limit);
            let mut frame = bytes.get(start..list_at)?.to_vec();
            frame.extend_from_slice(b"[]");
            frame.extend_from_slice(bytes.get(end..).unwrap_or(&[]));
            Some(Items { items, is_whole, frame })
        }
        _ => None,
    }
}

/// Reads a list; returns its items, where it ends, and whether it does.
fn list(bytes: &[u8], start: usize, limit: usize) -> (Vec<&[u8]>, usize, bool) {
    let mut items = Vec::new();
    let mut at = skip_space(bytes, start + 1);
    loop {
        match bytes.get(at) {
            Some(b']') => return (items, at + 1, true),
            Some(b',') => at = skip_space(bytes, at + 1),
            None => return (items, at, false),
            Some(_) => {
                if items.len() >= limit {
                    return (items, at, false);
                }
                let Some(end) = value_end(bytes, at) else { return (items, bytes.len(), false) };
                items.push(bytes.get(at..end).unwrap_or(&[]));
                at = skip_space(bytes, end);
            }
        }
    }
}

/// Returns where the value of a key of the object at `start` begins.
fn member(bytes: &[u8], start: usize, key: &str) -> Option<usize> {
    let mut at = skip_space(bytes, start + 1);
    loop {
        match bytes.get(at)? {
            b',' => at = skip_space(bytes, at + 1),
            b'"' => {
                let end = text_end(bytes, at)?;
                let name = bytes.get(at + 1..end.checked_sub(1)?)?;
                at = skip_space(bytes, end);
                if bytes.get(at) != Some(&b':') {
                    return None;
                }
                at = skip_space(bytes, at + 1);
                if name == key.as_bytes() {
                    return Some(at);
                }
                at = skip_space(bytes, value_end(bytes, at)?);
            }
            _ => return None,
        }
    }
}

/// Returns where a value ends; `None` when it is cut.
fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    match bytes.get(start)? {
        b'"' => text_end(bytes, start),
        b'{' | b'[' => {
            let mut depth = 0u32;
            let mut at = start;
            loop {
                match bytes.get(at)? {
                    b'"' => {
                        at = text_end(bytes, at)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
                if depth > MAX_DEPTH {
                    return None;
                }
            }
        }
        // a number or a word; at least one byte, so that nonsense comes to an end
        _ => {
            let rest = bytes.get(start..)?;
            let length = rest.iter().position(|b| matches!(b, b',' | b']' | b'}') || b.is_ascii_whitespace());
            Some(start + length?.max(1))
        }
    }
}

/// Returns the place behind a text.
fn text_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        let rest = bytes.get(at..)?;
        let found = memchr::memchr2(b'"', b'\\', rest)?;
        at += found;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(bytes: &str) -> Option<(Vec<&str>, bool)> {
        items(bytes.as_bytes(), "items", 100).map(|found| {
            (found.items.iter().map(|item| std::str::from_utf8(item).unwrap()).collect(), found.is_whole)
        })
    }

    #[test]
    fn finds_the_items_of_a_list() {
        let cases: &[(&str, &[&str], bool)] = &[
            ("[]", &[], true),
            (
                " [ {\"a\":[1,\"]\"]} , null ,\"x\\\"]\" ] ",
                &["{\"a\":[1,\"]\"]}", "null", "\"x\\\"]\""],
                true,
            ),
            ("{\"total\":{\"items\":[1]},\"items\":[{},{}],\"n\":1}", &["{}", "{}"], true),
            ("[{\"a\":1},{\"b\":", &["{\"a\":1}"], false),
            ("[{}", &["{}"], false),
            ("[1,}", &["1", "}"], false),
        ];
        for (text, expected, is_whole) in cases {
            assert_eq!(texts(text), Some((expected.to_vec(), *is_whole)), "{text}");
        }
        for text in ["", "null", "<html>", "{\"items\":{}}", "{\"items\"", "{\"item\":[]}", "{,:", "\"[]\""] {
            assert_eq!(texts(text), None, "{text}");
        }
    }

    #[test]
    fn the_frame_is_what_is_around() {
        let found = items(b"{\"totalItems\":2,\"items\":[{},{}],\"pageInfo\":{}}", "items", 9).unwrap();
        assert_eq!(found.frame, b"{\"totalItems\":2,\"items\":[],\"pageInfo\":{}}");
        assert!(!items(b"[1,2,3]", "items", 2).unwrap().is_whole);
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(text in "[\\[\\]{}\",:\\\\ a1]{0,60}") {
            let _ = items(text.as_bytes(), "items", 10);
        }
    }
}
