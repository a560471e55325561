//! Anchors of headings, as the original makes them.

use std::collections::HashSet;

/// Makes anchors that are unique on a page.
#[derive(Debug, Default)]
pub(super) struct Slugs {
    used: HashSet<String>,
}

impl Slugs {
    /// Takes an anchor the author wrote, so that no other heading gets it.
    pub fn reserve(&mut self, anchor: &str) {
        self.used.insert(anchor.to_owned());
    }

    /// Returns the anchor of a heading: its slug, with `_1`, `_2` … when that is taken or empty.
    pub fn of(&mut self, heading: &str) -> String {
        let mut anchor = slug(heading);
        while anchor.is_empty() || self.used.contains(&anchor) {
            anchor = match anchor
                .rsplit_once('_')
                .and_then(|(stem, number)| Some((stem, number.parse::<u64>().ok()?)))
            {
                Some((stem, number)) => format!("{stem}_{}", number.saturating_add(1)),
                None => format!("{anchor}_1"),
            };
        }
        self.used.insert(anchor.clone());
        anchor
    }
}

/// Returns the text reduced to ASCII letters, digits, `_` and single `-`, in lower case.
pub fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        plain(c, &mut out);
    }
    let kept: String = out
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || c.is_ascii_whitespace())
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let mut slug = String::with_capacity(kept.len());
    for c in kept.trim().chars() {
        let c = if c.is_ascii_whitespace() { '-' } else { c };
        if !(c == '-' && slug.ends_with('-')) {
            slug.push(c);
        }
    }
    slug
}

/// Appends what compatibility decomposition leaves of a character in ASCII.
fn plain(c: char, out: &mut String) {
    match c {
        c if c.is_ascii() => out.push(c),
        '\u{ff01}'..='\u{ff5e}' => out.extend(char::from_u32(c as u32 - 0xfee0)),
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{3000}' | '\u{202f}' | '\u{205f}' => out.push(' '),
        '²' => out.push('2'),
        '³' => out.push('3'),
        '¹' => out.push('1'),
        '\u{2070}' | '\u{2074}'..='\u{2079}' => out.extend(char::from_digit(c as u32 - 0x2070, 10)),
        '\u{2080}'..='\u{2089}' => out.extend(char::from_digit(c as u32 - 0x2080, 10)),
        '™' => out.push_str("TM"),
        '℠' => out.push_str("SM"),
        '…' => out.push_str("..."),
        '½' => out.push_str("12"),
        '¼' => out.push_str("14"),
        '¾' => out.push_str("34"),
        'ª' => out.push('a'),
        'º' => out.push('o'),
        'ﬀ' => out.push_str("ff"),
        'ﬁ' => out.push_str("fi"),
        'ﬂ' => out.push_str("fl"),
        'ﬃ' => out.push_str("ffi"),
        'ﬄ' => out.push_str("ffl"),
        // Letters of their own, which no decomposition turns into ASCII
        'ß' | 'ẞ' | 'æ' | 'Æ' | 'ø' | 'Ø' | 'đ' | 'Đ' | 'ł' | 'Ł' | 'ħ' | 'Ħ' | 'ı' | 'œ' | 'Œ' | 'ð'
        | 'þ' | 'Þ' => {}
        c => {
            let plain = nucleo_matcher::chars::normalize(c);
            if plain.is_ascii() {
                out.push(plain);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_those_of_the_web_site() {
        let mut slugs = Slugs::default();
        slugs.reserve("mine");
        let cases = [
            ("Getting started", "getting-started"),
            ("Getting started", "getting-started_1"),
            ("Getting started", "getting-started_2"),
            ("What's new?", "whats-new"),
            ("A  --  b", "a-b"),
            ("Übersicht & Größe", "ubersicht-groe"),
            ("名前", "_1"),
            ("", "_2"),
            ("mine", "mine_1"),
            ("snake_case 1.2", "snake_case-12"),
            ("Ｆｕｌｌ ½ ™", "full-12-tm"),
        ];
        for (heading, anchor) in cases {
            assert_eq!(slugs.of(heading), anchor, "{heading}");
        }
    }
}
