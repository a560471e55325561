//! Colours of code, as kinds of tokens.
//!
//! A step of its own, block by block, because it costs more than all the rest: a face asks for the
//! blocks it shows ([`super::Layout::code_in`]) and draws again when they are there.

use super::layout::{Role, Span};
use super::page::TextId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use syntect::parsing::{ParseState, ScopeStack, SyntaxReference, SyntaxSet};

/// What a piece of code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names of the kinds say it")]
pub enum Token {
    Keyword,
    String,
    Number,
    Constant,
    Comment,
    Function,
    Type,
    Variable,
    Key,
    Tag,
    Attribute,
    Operator,
    Punctuation,
    Inserted,
    Deleted,
    Heading,
}

/// A piece of code (bytes) of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
    /// What it is.
    pub token: Token,
}

/// The code that was highlighted, by text.
#[derive(Debug, Clone, Default)]
pub struct Highlights {
    known: HashMap<TextId, Arc<[Piece]>>,
}

impl Highlights {
    /// Returns the pieces of a text that was highlighted.
    pub fn get(&self, text: TextId) -> Option<&[Piece]> {
        self.known.get(&text).map(AsRef::as_ref)
    }

    /// Whether the text was highlighted.
    pub fn has(&self, text: TextId) -> bool {
        self.known.contains_key(&text)
    }

    /// Takes the pieces of a text.
    pub fn put(&mut self, text: TextId, pieces: Arc<[Piece]>) {
        self.known.insert(text, pieces);
    }
}

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

/// Code longer than this stays plain.
const LARGEST: usize = 512 * 1024;

/// A line longer than this stays plain: the grammars are not made for it.
const LONGEST_LINE: usize = 4 * 1024;

/// Returns the grammar of a language as people write it after a fence.
fn syntax(language: &str) -> Option<&'static SyntaxReference> {
    let name = match language {
        "" | "text" | "none" | "plain" | "plaintext" | "txt" | "output" | "no-highlight" | "nohighlight" => {
            return None;
        }
        "sh" | "shell" | "console" | "shell-session" | "shellsession" | "zsh" | "terminal"
        | "bash-session" => "bash",
        "hcl" | "tf" => "terraform",
        "jsonc" | "json5" | "jsonl" => "json",
        "golang" => "go",
        "yml" => "yaml",
        "docker" => "dockerfile",
        "js" | "jsx" | "mjs" => "javascript",
        "ts" => "typescript",
        "py" | "python3" | "py3" => "python",
        "ps1" | "pwsh" => "powershell",
        "env" | "dotenv" => "bash",
        "patch" => "diff",
        "conf" | "cfg" | "properties" => "ini",
        "gql" => "graphql",
        "proto" | "proto3" => "protobuf",
        "make" | "mk" => "makefile",
        "c++" => "cpp",
        "cs" | "csharp" | "dotnet" => "c#",
        "kt" => "kotlin",
        other => other,
    };
    SYNTAXES.find_syntax_by_token(name)
}

/// Returns the kinds of the pieces of a code; empty when the language is not known.
pub fn highlight(code: &str, language: &str) -> Arc<[Piece]> {
    let none = || Arc::from([]);
    if code.len() > LARGEST {
        return none();
    }
    let Some(syntax) = syntax(language) else { return none() };
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut from = 0;
    let mut line = String::new();
    for written in code.split_inclusive('\n') {
        if written.len() > LONGEST_LINE {
            from += written.len();
            continue;
        }
        line.clear();
        line.push_str(written.trim_end_matches('\n'));
        line.push('\n');
        let Ok(changes) = state.parse_line(&line, &SYNTAXES) else { break };
        let mut at = 0;
        for (offset, change) in changes {
            put(&mut pieces, &stack, from + at, from + offset.min(written.len()));
            at = offset.min(written.len());
            if stack.apply(&change).is_err() {
                break;
            }
        }
        put(&mut pieces, &stack, from + at, from + written.len());
        from += written.len();
    }
    pieces.into()
}

fn put(pieces: &mut Vec<Piece>, stack: &ScopeStack, start: usize, end: usize) {
    if start >= end {
        return;
    }
    let Some(token) = token(stack) else { return };
    match pieces.last_mut() {
        Some(last) if last.token == token && last.end as usize == start => last.end = end as u32,
        _ => pieces.push(Piece { start: start as u32, end: end as u32, token }),
    }
}

/// Beginnings of scopes and what they are; the first that fits wins, the innermost scope first.
const SCOPES: &[(&str, Token)] = &[
    ("comment", Token::Comment),
    ("punctuation.definition.comment", Token::Comment),
    ("punctuation.definition.string", Token::String),
    ("meta.mapping.key", Token::Key),
    ("entity.name.tag.yaml", Token::Key),
    ("support.type.property-name", Token::Key),
    ("string.unquoted.plain.out.yaml", Token::String),
    ("constant.numeric", Token::Number),
    ("constant.character.escape", Token::Constant),
    ("constant", Token::Constant),
    ("variable.function", Token::Function),
    ("entity.name.function", Token::Function),
    ("support.function", Token::Function),
    ("entity.name.tag", Token::Tag),
    ("entity.other.attribute-name", Token::Attribute),
    ("entity.name.type", Token::Type),
    ("entity.name.class", Token::Type),
    ("entity.name.struct", Token::Type),
    ("entity.name.section", Token::Heading),
    ("markup.heading", Token::Heading),
    ("markup.inserted", Token::Inserted),
    ("markup.deleted", Token::Deleted),
    ("support.type", Token::Type),
    ("support.class", Token::Type),
    ("storage.type", Token::Keyword),
    ("storage", Token::Keyword),
    ("keyword.operator.word", Token::Keyword),
    ("keyword.operator", Token::Operator),
    ("keyword", Token::Keyword),
    ("string", Token::String),
    ("variable", Token::Variable),
    ("punctuation", Token::Punctuation),
];

static PARSED: LazyLock<Vec<(syntect::parsing::Scope, Token)>> = LazyLock::new(|| {
    SCOPES
        .iter()
        .filter_map(|(scope, token)| Some((syntect::parsing::Scope::new(scope).ok()?, *token)))
        .collect()
});

fn token(stack: &ScopeStack) -> Option<Token> {
    let scopes = stack.as_slice();
    scopes.iter().rev().find_map(|scope| {
        PARSED.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope)).map(|(_, token)| *token)
    })
}

/// Cuts a span of code, which begins at byte `at` of its text, by the pieces of the text.
pub(super) fn split<'a>(span: Span<'a>, at: u32, pieces: &[Piece], out: &mut Vec<Span<'a>>) {
    let end = at + span.text.len() as u32;
    let mut from = at;
    let mut push = |start: u32, end: u32, role: Role| {
        if start < end
            && let Some(text) = span.text.get((start - at) as usize..(end - at) as usize)
        {
            out.push(Span { text, role, place: span.place.map(|(id, _)| (id, start)), ..span });
        }
    };
    let first = pieces.partition_point(|piece| piece.end <= at);
    for piece in pieces.get(first..).unwrap_or(&[]).iter().take_while(|piece| piece.start < end) {
        push(from, piece.start.max(from), Role::Code);
        push(piece.start.max(from), piece.end.min(end), Role::Token(piece.token));
        from = piece.end.min(end).max(from);
    }
    push(from, end, Role::Code);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(code: &str, language: &str) -> Vec<(String, Token)> {
        highlight(code, language)
            .iter()
            .map(|piece| (code[piece.start as usize..piece.end as usize].to_owned(), piece.token))
            .collect()
    }

    #[test]
    fn names_what_code_is() {
        let found = kinds("# hi\nkey: 12\n", "yml");
        assert!(
            found.iter().any(|(text, token)| text.contains("# hi") && *token == Token::Comment),
            "{found:?}"
        );
        assert!(found.iter().any(|(text, token)| text == "key" && *token == Token::Key), "{found:?}");
        assert!(found.iter().any(|(text, token)| text == "12" && *token == Token::Number), "{found:?}");
        assert!(
            kinds("let x = \"a\";", "rust")
                .iter()
                .any(|(text, token)| text == "\"a\"" && *token == Token::String)
        );
    }

    #[test]
    fn what_is_not_known_is_plain() {
        assert!(highlight("a b", "klingon").is_empty());
        assert!(highlight("a b", "").is_empty());
    }

    #[test]
    fn real_languages_have_a_grammar() {
        let names = "bash yaml python hcl typescript json sh sql console csv diff xml dockerfile java go rust kotlin groovy ruby \
                     javascript html css toml ini makefile terraform graphql protobuf jsx tsx c cpp csharp php scala";
        let missing: Vec<&str> = names.split_whitespace().filter(|name| syntax(name).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
