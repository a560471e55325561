//! Cuts a stream into documents before anything is parsed.
//!
//! A line that begins with `---` or `...` and white space is a marker wherever it stands, in block
//! texts and quoted texts too; so the cut needs no grammar and one broken document cannot swallow the
//! next. Comments and directives before a `---` belong to the document that follows.

/// A run of lines that holds one document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk<'a> {
    /// The text with its prelude and its `---` line, without the `...` line.
    pub text: &'a str,
    /// 1-based line of the whole text on which `text` starts.
    pub first_line: u32,
    /// 1-based line of the first content; of the marker when there is none.
    pub content_line: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Start,
    End,
    Blank,
    Directive,
    Content,
}

/// The document that is being collected.
struct Open {
    offset: usize,
    first_line: u32,
    content_line: Option<u32>,
    marker_line: Option<u32>,
    directives: bool,
}

/// Cuts a stream into its documents; a stream of blank lines and comments has none.
pub(super) fn split(text: &str) -> Vec<Chunk<'_>> {
    let mut chunks = Vec::new();
    let mut open = Open::at(0, 1);
    let mut offset = 0;
    let mut number = 0;
    while offset < text.len() {
        number += 1;
        let rest = text.get(offset..).unwrap_or("");
        let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let line = rest.get(..length).unwrap_or("");
        match classify(line, open.content_line.is_none()) {
            Line::Start if open.marker_line.is_some() || open.content_line.is_some() => {
                open.close(text, offset, &mut chunks);
                open = Open::at(offset, number);
                open.mark(line, number);
            }
            Line::Start => open.mark(line, number),
            // An end where nothing was begun counts as a document too, an empty one
            Line::End => {
                open.marker_line.get_or_insert(number);
                open.close(text, offset, &mut chunks);
                open = Open::at(offset + length, number + 1);
            }
            Line::Directive if open.marker_line.is_none() => open.directives = true,
            Line::Content | Line::Directive => {
                open.content_line.get_or_insert(number);
            }
            Line::Blank => {}
        }
        offset += length;
    }
    open.close(text, text.len(), &mut chunks);
    chunks
}

impl Open {
    fn at(offset: usize, first_line: u32) -> Self {
        Self { offset, first_line, content_line: None, marker_line: None, directives: false }
    }

    fn mark(&mut self, line: &str, number: u32) {
        self.marker_line = Some(number);
        let rest = line.get(3..).unwrap_or("").trim_start();
        if !rest.is_empty() && !rest.starts_with('#') {
            self.content_line = Some(number);
        }
    }

    fn close<'a>(&self, text: &'a str, end: usize, chunks: &mut Vec<Chunk<'a>>) {
        if self.marker_line.is_none() && self.content_line.is_none() {
            return;
        }
        chunks.push(Chunk {
            text: text.get(self.offset..end).unwrap_or(""),
            first_line: self.first_line,
            content_line: self.content_line.or(self.marker_line).unwrap_or(self.first_line),
        });
    }
}

fn classify(line: &str, before_content: bool) -> Line {
    let marker = |mark: &str| {
        line.strip_prefix(mark)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
    };
    match line.as_bytes().first() {
        Some(b'-') if marker("---") => Line::Start,
        Some(b'.') if marker("...") => Line::End,
        // The rest matters only until the first content is found
        _ if !before_content => Line::Content,
        Some(b'%') => Line::Directive,
        _ => {
            let text = line.trim_start_matches([' ', '\t', '\r', '\n']);
            if text.is_empty() || text.starts_with('#') { Line::Blank } else { Line::Content }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_documents_as_backstage_does() {
        let cases: &[(&str, &[u32])] = &[
            ("", &[]),
            ("# only words\n\n", &[]),
            ("a: 1", &[1]),
            ("a: 1\n---\n", &[1, 2]),
            ("---\n", &[1]),
            ("---", &[1]),
            ("---\n---\n", &[1, 2]),
            ("# c\n---\na: 1\n--- # c\n\nb: 2\n", &[3, 6]),
            ("--- text\n", &[1]),
            ("a: |\n  x\n---\nb: 1\n", &[1, 4]),
            ("a: 1\n...\n", &[1]),
            ("a: 1\n...\n# c\n", &[1]),
            ("...\n", &[1]),
            ("a: 1\n...\n...\n", &[1, 3]),
            ("a: 1\n...\nb: 2\n", &[1, 3]),
            ("a: 1\n...\n---\nb: 2\n", &[1, 4]),
            ("a: 1\n ---\n----\n---x\n", &[1]),
            ("---\r\na: 1\r\n---\r\n", &[2, 3]),
            ("%YAML 1.2\n---\na: 1\n", &[3]),
        ];
        for (text, lines) in cases {
            let found: Vec<u32> = split(text).iter().map(|chunk| chunk.content_line).collect();
            assert_eq!(&found, lines, "{text:?}");
        }
    }
}
