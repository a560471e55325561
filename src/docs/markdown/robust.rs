//! Tests that hostile and random pages never panic, hang or lose words.

use super::page::{Page, TextId};
use super::{Dialect, View, layout, parse};
use proptest::prelude::*;
use std::collections::HashSet;

/// The words of a text, letters and digits only.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Everything of the page that is on the lines: a word that was cut goes on where it was cut.
fn shown(page: &Page, width: usize) -> String {
    let laid = layout(page, width, &View::print());
    let mut parts: Vec<(TextId, u32, &str)> = Vec::new();
    for line in 0..laid.lines.len() {
        parts.extend(laid.spans(line).filter_map(|span| span.place.map(|(text, at)| (text, at, span.text))));
        assert!(
            laid.lines[line].width as usize <= width,
            "line {line} of {width}: {:?}",
            laid.line_text(line)
        );
    }
    parts.sort_by_key(|(text, at, _)| (*text, *at));
    let mut out = String::new();
    let mut last = (TextId(0), 0);
    for (text, at, part) in parts {
        if last != (text, at) {
            out.push(' ');
        }
        out.push_str(part);
        last = (text, at + part.len() as u32);
    }
    out
}

/// Signs that begin or end something, words, white space.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-z]{1,9}",
        2 => Just(" ".to_owned()),
        2 => Just("\n".to_owned()),
        1 => Just("\n\n".to_owned()),
        1 => Just("    ".to_owned()),
        1 => Just("\t".to_owned()),
        4 => prop::sample::select(vec![
            "# ", "- ", "1. ", "> ", "```", "~~~", "!!! note\n    ", "??? tip \"T\"\n    ", "=== \"tab\"\n    ", "| a | b |\n|---|---|\n",
            "**", "*", "_", "`", "==", "~~", "^^", "++", "{++", "++}", "{~~", "~>", "[", "]", "(", ")", "](x)", "![", "<b>", "</b>", "<x>",
            "<table><tr><td>", "</table>", "<details>", "</details>", "<!--", "-->", "[^1]", "[^1]: ", ":   ", "---\n", "\\", "&amp;", "$", "|",
            "名前", "e\u{301}", "\u{1b}[31m", "\u{202e}", "https://a.b/c", ":smile:", "{: #id }", "--8<--", "[TOC]\n", "*[ab]: cd\n", "::uml::\n",
            ">>> [!tip]\n", "> [!NOTE]\n", "/// note\n", "///\n", "```mermaid\ngraph TD\na-->b\n```\n", "- [ ] ", "\u{2}0\u{3}", "<div markdown>", "</div>",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_page_is_drawn(source in pieces(), width in 12usize..200, blocks: bool) {
        let page = parse(&source, &Dialect { techdocs: true, blocks });
        let laid = layout(&page, width, &View::default());
        for line in 0..laid.lines.len() {
            prop_assert!(laid.lines[line].scrolls || laid.lines[line].width as usize <= width);
            prop_assert!(!laid.line_text(line).chars().any(char::is_control), "{:?}", laid.line_text(line));
        }
        shown(&page, width);
    }

    #[test]
    fn no_word_of_prose_is_lost(
        paragraphs in prop::collection::vec(prop::collection::vec("[a-zA-Z]{1,14}", 1..30), 1..6),
        form in 0usize..8,
        width in 20usize..200,
    ) {
        let mut source = String::new();
        for words in &paragraphs {
            let text = words.join(" ");
            source.push_str(&match form {
                0 => format!("{text}\n\n"),
                1 => format!("- {text}\n\n    {text}\n"),
                2 => format!("> {text}\n\n"),
                3 => format!("!!! note \"{text}\"\n    {text}\n\n"),
                4 => format!("| {} |\n|{}\n| {} |\n\n", words.join(" | "), "---|".repeat(words.len()), words.join(" | ")),
                5 => format!("# {text}\n\n```\n{text}\n```\n"),
                6 => format!("=== \"{text}\"\n\n    ??? tip\n        {text}\n\n"),
                _ => format!("Term {text}\n:   {text}\n\n"),
            });
        }
        let page = parse(&source, &Dialect::TECHDOCS);
        let found: HashSet<String> = words(&shown(&page, width)).into_iter().collect();
        for word in paragraphs.iter().flatten() {
            prop_assert!(found.contains(word), "{word} of {source:?}");
        }
    }
}

#[test]
fn hostile_pages_are_bounded() {
    let deep_list: String = (0..500).map(|depth| format!("{}- item{depth}\n", "  ".repeat(depth))).collect();
    let quotes = format!("{} text\n", ">".repeat(500));
    let wide = format!("|{}\n|{}\n|{}\n", " head |".repeat(200), "---|".repeat(200), " cell |".repeat(200));
    let admonitions: String = (0..200).map(|depth| format!("{}!!! note\n", "    ".repeat(depth))).collect();
    let cases = [
        ("deep list", deep_list, "item499"),
        ("quotes", quotes, "text"),
        ("table", wide, "cell"),
        ("admonitions", format!("{admonitions}{}end\n", "    ".repeat(200)), "end"),
        ("emphasis", format!("{} end", "*a _b ".repeat(20_000)), "end"),
        ("brackets", format!("{} end", "[".repeat(20_000)), "end"),
        ("ticks", format!("{} end", "` `` ``` ".repeat(5_000)), "end"),
        ("signs", format!("{} end", "==a ~~b ^^c {++d ".repeat(5_000)), "end"),
        ("tags", format!("{} end", "<b><i>".repeat(5_000)), "end"),
        ("fences", format!("{}end\n", "```a\n".repeat(5_000)), "end"),
        ("details", format!("{}end\n", "<details>\n".repeat(2_000)), "end"),
        ("notes", format!("{}end\n", "[^a] [^a]: b\n".repeat(2_000)), "end"),
        ("blocks", format!("{}end\n", "/// note\n".repeat(2_000)), "end"),
        ("terms", format!("{}end\n", "a\n\n".repeat(5_000)), "end"),
        ("definitions", format!("{}end\n", "a\n:   b\n\n".repeat(3_000)), "end"),
        ("alerts", format!("{}end\n", ">>> [!tip]\n".repeat(2_000)), "end"),
    ];
    for (name, source, kept) in cases {
        for blocks in [false, true] {
            let page = parse(&source, &Dialect { techdocs: true, blocks });
            for width in [20, 100] {
                assert!(shown(&page, width).contains(kept), "{name}");
            }
        }
    }
}

#[test]
fn ten_megabytes_on_one_line_are_drawn() {
    let page = parse(&"word [a](b) **c** ".repeat(600_000), &Dialect::TECHDOCS);
    let laid = layout(&page, 100, &View::default());
    assert!(laid.lines.len() > 50_000);
    assert!(laid.line_text(laid.lines.len() - 1).contains("word a c"));
}
