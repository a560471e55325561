//! The only place that parses descriptors: a stream is split first, each document is parsed alone.
//!
//! Start at [`parse_stream`]; bytes go through [`decode`] before. YAML 1.2 core schema with positions;
//! a broken document never hides its neighbours. Everything is bounded: depth, alias expansion, size.
//! Merge keys (`<<`) are ordinary keys, unknown tags are ignored, duplicate keys are an error, as in
//! the parser that Backstage uses.

mod build;
mod explain;
mod guess;
mod mask;
mod node;
mod quick;
mod scalar;
mod source;
mod split;
mod strict;

pub use node::{Data, Node, Position, push_step};
pub use source::Source;

use crate::diagnostic::{Diagnostic, SourceLocation};
use std::sync::Arc;

/// Deepest nesting that is accepted; what people write stays under 20.
pub const MAX_DEPTH: usize = 200;

/// One document of a stream.
#[derive(Debug)]
pub struct Document<'a> {
    /// 0-based position in the stream, empty documents counted.
    pub index: u32,
    /// 1-based line of its first content (of its start when empty).
    pub line: u32,
    /// Its content; `None` when empty; the mistake when it does not parse.
    pub content: Result<Option<Node<'a>>, Box<Diagnostic>>,
}

/// Splits a stream and parses each document.
///
/// A text without any document (empty, or nothing but comments) gives an empty list. Positions are
/// those of the whole text.
pub fn parse_stream<'a>(text: &'a str, file: &Arc<str>) -> Vec<Document<'a>> {
    parse_source(&Source::new(text, file))
}

/// Splits a stream and parses each document; see [`parse_stream`].
pub fn parse_source<'a>(source: &Source<'a>) -> Vec<Document<'a>> {
    split::split(source.text)
        .into_iter()
        .zip(0..)
        .map(|(chunk, index)| Document {
            index,
            line: chunk.content_line,
            content: build::parse(&chunk, source),
        })
        .collect()
}

/// Turns the bytes of a file into text: UTF-8 only, a byte order mark is skipped.
///
/// # Errors
/// `yaml::not-utf8` and `yaml::nul` with the place of the first byte that is wrong.
pub fn decode<'a>(bytes: &'a [u8], file: &Arc<str>) -> Result<&'a str, Box<Diagnostic>> {
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let valid = match std::str::from_utf8(body) {
        Ok(text) if !body.contains(&0) => return Ok(text),
        Ok(text) => text,
        Err(error) => {
            let text = std::str::from_utf8(body.get(..error.valid_up_to()).unwrap_or(&[])).unwrap_or("");
            if !text.contains('\0') && !bytes.starts_with(b"\xff\xfe") && !bytes.starts_with(b"\xfe\xff") {
                let byte = body.get(text.len()).copied().unwrap_or(0);
                return Err(Box::new(
                    Diagnostic::error("yaml::not-utf8", format!("the file is not UTF-8: byte 0x{byte:02x}"))
                        .at(position_of(text, text.len()).location(file))
                        .hint("save the file as UTF-8"),
                ));
            }
            text
        }
    };
    let diagnostic = match valid.find('\0') {
        Some(at) if bytes.get(1) != Some(&0) && bytes.first() != Some(&0) => {
            Diagnostic::error("yaml::nul", "the file contains a NUL byte: it is no text file")
                .at(position_of(valid, at).location(file))
                .hint("remove the byte, or leave the file out of the catalog")
        }
        _ => Diagnostic::error("yaml::not-utf8", "the file is not UTF-8: it looks like UTF-16")
            .at(SourceLocation::at(file.clone(), 1, 1))
            .hint("save the file as UTF-8"),
    };
    Err(Box::new(diagnostic))
}

/// A text, and what was wrong with its bytes.
pub type Lossy<'a> = (std::borrow::Cow<'a, str>, Option<Box<Diagnostic>>);

/// Like [`decode`], but a byte that is no UTF-8 costs only itself, as in the original: it reads as
/// `\u{fffd}` and is told as a warning. UTF-16 and NUL bytes are still refused.
///
/// # Errors
/// As [`decode`] for what is no text at all.
pub fn decode_lossy<'a>(bytes: &'a [u8], file: &Arc<str>) -> Result<Lossy<'a>, Box<Diagnostic>> {
    let is_utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    match decode(bytes, file) {
        Ok(text) => Ok((text.into(), None)),
        Err(mut diagnostic) if diagnostic.code == "yaml::not-utf8" && !is_utf16 && !bytes.contains(&0) => {
            diagnostic.severity = crate::diagnostic::Severity::Warning;
            let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            Ok((String::from_utf8_lossy(body), Some(diagnostic)))
        }
        Err(diagnostic) => Err(diagnostic),
    }
}

/// Returns the place of a byte offset in a text.
pub(crate) fn position_of(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|b| *b == b'\n').count() as u32 + 1;
    Position { line, column: before.get(line_start..).unwrap_or("").chars().count() as u32 + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Vec<Document<'_>> {
        parse_stream(text, &Arc::from("x.yaml"))
    }

    #[test]
    fn a_broken_document_leaves_its_neighbours() {
        let documents = parse("a: 1\n---\nb: [\n---\n---\nc:\n  - d: e\n");
        assert_eq!(documents.len(), 4);
        assert!(matches!(&documents[0].content, Ok(Some(node)) if node.get("a").is_some()));
        assert!(documents[1].content.is_err());
        assert!(matches!(documents[2].content, Ok(None)));
        let Ok(Some(node)) = &documents[3].content else { panic!("{documents:?}") };
        let inner = node.at_pointer("/c/0/d").unwrap();
        assert_eq!((inner.as_str(), inner.start), (Some("e"), Position { line: 7, column: 8 }));
    }

    #[test]
    fn names_both_lines_of_a_duplicate_key() {
        let documents = parse("# c\n---\na: 1\nb: 2\na: 3\n");
        let error = documents[0].content.as_ref().unwrap_err();
        assert_eq!(error.code, "yaml::duplicate-key");
        assert!(error.message.contains("lines 3 and 5"), "{}", error.message);
        assert_eq!(error.location.as_ref().unwrap().line, 5);
    }

    #[test]
    fn nesting_and_aliases_are_bounded() {
        let deep = "[".repeat(10_000);
        let dashes = "- ".repeat(10_000);
        let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for c in b'b'..b'k' {
            let (name, before) = (c as char, (c - 1) as char);
            let aliases = format!("*{before},").repeat(10);
            bomb.extend([format!("{name}: &{name} [{aliases}]\n")]);
        }
        for (text, codes) in [
            (deep.as_str(), ["yaml::too-deep", "yaml::syntax"]),
            (dashes.as_str(), ["yaml::too-deep", "yaml::too-deep"]),
            (bomb.as_str(), ["yaml::alias-bomb", "yaml::alias-bomb"]),
        ] {
            let documents = parse(text);
            let error = documents[0].content.as_ref().unwrap_err();
            assert!(codes.contains(&error.code), "{error:?}");
        }
    }

    #[test]
    fn takes_what_backstage_takes() {
        for (text, value) in [
            ("a:\tb\nc: \td\t# e\n", "{\"a\":\"b\",\"c\":\"d\"}"),
            ("a: x\u{feff}y\n", "{\"a\":\"x\u{feff}y\"}"),
            ("a: x\ry\n", "{\"a\":\"x\\ry\"}"),
            ("a: b\r\nc: d\r\n", "{\"a\":\"b\",\"c\":\"d\"}"),
            ("<<: {a: b}\na: c\n", "{\"<<\":{\"a\":\"b\"},\"a\":\"c\"}"),
            ("a: &x {b: c}\nd: *x\n", "{\"a\":{\"b\":\"c\"},\"d\":{\"b\":\"c\"}}"),
            ("a: !Ref b\nc: !!str 3\nd: !x [e]\n", "{\"a\":\"b\",\"c\":\"3\",\"d\":[\"e\"]}"),
            ("a: |\n  x\n  ", "{\"a\":\"x\\n\"}"),
            ("1: a\nnull: b\n{{ x }}: c\n", "{\"1\":\"a\",\"\":\"b\",\"{ { x } }\":\"c\"}"),
            (
                "a: yes\nb: 2025-01-01\nc: 0o10\nd: 1e3\n",
                "{\"a\":\"yes\",\"b\":\"2025-01-01\",\"c\":8,\"d\":1000}",
            ),
        ] {
            let documents = parse(text);
            let Ok(Some(node)) = &documents[0].content else { panic!("{documents:?}") };
            let packed = node.to_packed();
            let expected: serde_json::Value = serde_json::from_str(value).unwrap();
            assert_eq!(crate::model::value::ValueRef::new(&packed).to_json(), expected, "{text:?}");
        }
    }

    #[test]
    fn refuses_what_backstage_refuses() {
        for (text, code) in [
            ("a: 1\n1: b\n1.0: c\n", "yaml::duplicate-key"),
            ("a:\n  - \"b\n  c\"\n", "yaml::indentation"),
            ("a:\n  - [b,\n  c]\n", "yaml::indentation"),
            ("a:\n  \tb: c\n", "yaml::tab"),
            ("a: |\n    b\n\t\nc: d\n", "yaml::tab"),
            ("a: {\"b\":|x}\n", "yaml::reserved-character"),
        ] {
            let documents = parse(text);
            let error = documents[0].content.as_ref().expect_err(text);
            assert_eq!(error.code, code, "{error:?}");
        }
    }

    #[test]
    fn decodes_only_utf8_text() {
        let file = Arc::from("x.yaml");
        assert_eq!(decode(b"\xef\xbb\xbfa: 1", &file).unwrap(), "a: 1");
        for (bytes, code, line, column) in [
            (b"a: 1\nb: \xff".as_slice(), "yaml::not-utf8", 2, 4),
            (b"a: 1\nb\0".as_slice(), "yaml::nul", 2, 2),
            (b"\xff\xfea\0".as_slice(), "yaml::not-utf8", 1, 1),
        ] {
            let error = decode(bytes, &file).unwrap_err();
            let place = error.location.as_ref().unwrap();
            assert_eq!((error.code, place.line, place.column), (code, line, column));
        }
    }

    /// Pieces that YAML gives a meaning to.
    fn yaml_like() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "\n", "\n", "\n  ", "\n    ", " ", "a", "b: ", ": ", "- ", "? ", "[", "]", "{", "}", ", ", "\"",
            "'", "|", ">", "#", " #", "&a ", "*a", "!t ", "!!str ", "%", "@", "`", "\t", "\r", "\r\n", "---",
            "\n---\n", "\n...\n", "\u{feff}", "\\", "é", "🙂", "|2", ">-", "<<: ", "~", "1", "\u{2028}",
            "\u{85}", "\u{7}",
        ]);
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    fn positions_are_inside(node: &Node<'_>, source: &Source<'_>, lines: u32) {
        assert!((1..=lines).contains(&node.start.line), "{node:?}");
        let length = source.line(node.start.line).chars().count() as u32;
        assert!((1..=length + 1).contains(&node.start.column), "{node:?}");
        assert!(node.width >= 1);
        for item in node.as_sequence().unwrap_or(&[]) {
            positions_are_inside(item, source, lines);
        }
        for (key, value) in node.as_mapping().unwrap_or(&[]) {
            positions_are_inside(key, source, lines);
            positions_are_inside(value, source, lines);
        }
    }

    proptest! {
        #[test]
        fn places_are_inside_the_text(text in yaml_like()) {
            let file = Arc::from("x.yaml");
            let source = Source::new(&text, &file);
            let lines = text.split('\n').count() as u32;
            for document in parse_source(&source) {
                prop_assert!((1..=lines).contains(&document.line));
                match document.content {
                    Ok(Some(node)) => positions_are_inside(&node, &source, lines),
                    Ok(None) => {}
                    Err(error) => {
                        let place = error.location.as_ref().unwrap();
                        prop_assert!((1..=lines).contains(&place.line), "{:?}", error);
                        prop_assert!(!error.render().is_empty());
                    }
                }
            }
        }

        #[test]
        fn documents_are_the_same_alone(text in yaml_like()) {
            let all = split::split(&text);
            for chunk in &all {
                let alone = split::split(chunk.text);
                prop_assert!(alone.len() <= 1, "{:?}", chunk);
            }
            prop_assert_eq!(all.len(), parse(&text).len());
        }

        #[test]
        fn packing_keeps_the_content(text in yaml_like()) {
            for document in parse(&text) {
                let Ok(Some(node)) = document.content else { continue };
                let packed = node.to_packed();
                let value = crate::model::value::ValueRef::new(&packed);
                prop_assert_eq!(node.as_sequence().map(<[_]>::len), value.as_array().map(|items| items.len()));
                for (key, item) in node.as_mapping().unwrap_or(&[]) {
                    if let (Some(key), Some(text)) = (key.as_str(), item.as_str()) {
                        prop_assert_eq!(value.get(key).as_str(), Some(text));
                    }
                }
                prop_assert_eq!(node.clone().into_owned().to_packed(), packed);
            }
        }

        #[test]
        fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let file = Arc::from("x.yaml");
            if let Ok(text) = decode(&bytes, &file) {
                let _ = parse_stream(text, &file);
            }
        }
    }
}
