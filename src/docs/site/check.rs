//! `docs check`: everything in a site that its readers would stumble over.
//!
//! Start at [`run`]. Files and names only: the web is not asked.

use super::{PageSource, Site, Target};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::docs::markdown::{Dialect, LinkKind, NoteKind, Page, parse};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Pages that were read.
    pub pages: usize,
    /// Links that were looked at.
    pub links: usize,
    /// What is wrong, by file and line.
    pub problems: Vec<Diagnostic>,
}

/// Returns the dialect of a site's pages.
pub fn dialect(site: &Site) -> Dialect {
    Dialect { blocks: site.config.uses_blocks(), ..Dialect::TECHDOCS }
}

/// Reads every page and tells what is wrong.
pub fn run(site: &Site) -> Report {
    let paths: Vec<&str> = site.pages.iter().map(|page| page.path.as_str()).collect();
    of_pages(site, &paths, true)
}

/// Reads one page and tells what is wrong with it.
pub fn run_page(site: &Site, path: &str) -> Report {
    of_pages(site, &[path], false)
}

fn of_pages(site: &Site, paths: &[&str], is_whole: bool) -> Report {
    let dialect = dialect(site);
    let read = |path: &&str| {
        let source = site.page(path);
        let page = source.as_ref().map(|source| parse(&source.text, &dialect)).ok();
        ((*path).to_owned(), source, page)
    };
    let pages: Vec<_> = paths.par_iter().map(read).collect();
    let anchors: FxHashMap<&str, &Page> =
        pages.iter().filter_map(|(path, _, page)| Some((path.as_str(), page.as_ref()?))).collect();
    let mut report = Report { pages: pages.len(), ..Report::default() };
    if is_whole {
        report.problems.extend(site.problems.iter().cloned());
        orphans(site, &mut report);
    }
    let found: Vec<(usize, Vec<Diagnostic>)> = pages
        .par_iter()
        .map(|(path, source, page)| match (source, page) {
            (Ok(source), Some(page)) => of_page(site, path, source, page, &anchors, &dialect),
            (Err(error), _) => (
                0,
                vec![
                    Diagnostic::error("docs::unreadable", error.to_string())
                        .at(SourceLocation::file(path.as_str())),
                ],
            ),
            (Ok(_), None) => (0, Vec::new()),
        })
        .collect();
    for (links, problems) in found {
        report.links += links;
        report.problems.extend(problems);
    }
    report.problems.sort_by(|a, b| a.location.cmp(&b.location).then_with(|| a.code.cmp(b.code)));
    report.problems.dedup();
    report
}

/// Tells about pages that the navigation does not lead to.
fn orphans(site: &Site, report: &mut Report) {
    if site.config.nav.is_none() {
        return;
    }
    let records: Vec<&str> = site.records.iter().map(|record| record.page.as_str()).collect();
    for page in site.pages.iter().filter(|page| !page.in_nav) {
        let is_record = super::adr::is_record(&page.path) || records.contains(&page.path.as_str());
        if site.config.not_in_nav.matches(&page.path) || is_record {
            continue;
        }
        let shown = site.shown(&page.path);
        report.problems.push(
            Diagnostic::warning("docs::orphan", format!("the navigation does not lead to `{}`", page.path))
                .at(SourceLocation::file(shown))
                .hint("add it to `nav`, name it in `not_in_nav`, or delete it"),
        );
    }
}

fn of_page(
    site: &Site,
    path: &str,
    source: &PageSource,
    page: &Page,
    anchors: &FxHashMap<&str, &Page>,
    dialect: &Dialect,
) -> (usize, Vec<Diagnostic>) {
    let mut out = source.problems.clone();
    let lines: Vec<&str> = source.text.lines().collect();
    let line_text = |line: u32| lines.get((line as usize).saturating_sub(1)).copied().unwrap_or("");
    for note in &page.notes {
        let (file, line, column) = source.map.place(note.line, 1);
        let severity = match note.kind {
            NoteKind::Unclosed => Severity::Error,
            NoteKind::UnknownSyntax | NoteKind::Footnote | NoteKind::Bounded => Severity::Warning,
            NoteKind::WebDiffers | NoteKind::Diagram => Severity::Info,
        };
        let code = code_of(note.kind);
        let text = line_text(note.line);
        let indent = text.chars().take_while(|c| c.is_whitespace()).count() as u32;
        let place = SourceLocation::at(file, line, column.max(1) + indent);
        let width = text.trim().chars().count() as u32;
        out.push(Diagnostic::new(severity, code, note.message.clone()).at(place).snippet(
            cut(text),
            width.min(60),
            "",
        ));
    }
    let mut seen: FxHashMap<(u32, &str), usize> = FxHashMap::default();
    for link in &page.links {
        if link.kind == LinkKind::Footnote {
            continue;
        }
        let text = line_text(link.line);
        let skip = seen.entry((link.line, link.to.as_str())).or_default();
        let column = column_of(text, &link.to, *skip);
        *skip += 1;
        if let Some(mut diagnostic) = broken(site, path, page, anchors, dialect, link.kind, &link.to) {
            let (file, line, column) = source.map.place(link.line, column);
            diagnostic = diagnostic.at(SourceLocation::at(file, line, column));
            let width = link.to.chars().count() as u32;
            out.push(diagnostic.snippet(cut(text), width.min(80), ""));
        }
    }
    (page.links.len(), out)
}

/// Longest source line that is shown, in characters.
fn cut(line: &str) -> String {
    line.chars().take(400).collect()
}

fn code_of(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::UnknownSyntax => "docs::unknown-syntax",
        NoteKind::WebDiffers => "docs::web-differs",
        NoteKind::Footnote => "docs::footnote",
        NoteKind::Diagram => "docs::diagram",
        NoteKind::Unclosed => "docs::unclosed",
        NoteKind::Bounded => "docs::bounded",
    }
}

/// Returns the 1-based column of a link's address in its line; 1 where it stands elsewhere.
fn column_of(line: &str, to: &str, skip: usize) -> u32 {
    let at = line.match_indices(to).nth(skip).or_else(|| line.match_indices(to).next()).map(|(at, _)| at);
    at.filter(|_| !to.is_empty()).map_or(1, |at| line.get(..at).unwrap_or("").chars().count() as u32 + 1)
}

fn broken(
    site: &Site,
    path: &str,
    page: &Page,
    anchors: &FxHashMap<&str, &Page>,
    dialect: &Dialect,
    kind: LinkKind,
    to: &str,
) -> Option<Diagnostic> {
    match site.resolve(path, to, &[]) {
        // what no browser would run is somebody else's business: `ssh:`, `slack:`, a picture as data
        Target::Unresolved(super::Unresolved::Scheme(scheme))
            if !matches!(scheme.as_str(), "javascript" | "vbscript" | "file") =>
        {
            None
        }
        Target::Unresolved(why) => {
            let (code, what) = match kind {
                LinkKind::Image => ("docs::broken-image", "image"),
                _ => ("docs::broken-link", "link"),
            };
            let mut diagnostic = Diagnostic::error(code, format!("broken {what}: {why}"));
            let names = site.pages.iter().map(|page| page.path.as_str());
            let wanted = to.split('#').next().unwrap_or(to);
            let name = wanted.rsplit('/').next().unwrap_or(wanted);
            let near = site.pages.iter().find(|page| page.path.rsplit('/').next() == Some(name));
            let near = near
                .map(|page| page.path.as_str())
                .or_else(|| crate::model::text::nearest(wanted, names).first().copied());
            if let Some(near) = near {
                diagnostic.hint = Some(format!("did you mean `{}`?", relative(path, near)));
            }
            Some(diagnostic)
        }
        Target::Page { path: target, anchor: Some(anchor) } => {
            let read;
            let target_page = if target == path {
                page
            } else if let Some(page) = anchors.get(target.as_str()) {
                page
            } else {
                read = parse(&site.page(&target).ok()?.text, dialect);
                &read
            };
            if target_page.anchor(&anchor).is_some() {
                return None;
            }
            let names = target_page.headings.iter().map(|heading| heading.anchor.as_str());
            let near = crate::model::text::nearest(&anchor, names)
                .first()
                .map(|near| format!("did you mean `#{near}`?"));
            let message = format!("broken link: the page `{target}` has no heading `#{anchor}`");
            let mut diagnostic = Diagnostic::error("docs::broken-anchor", message);
            diagnostic.hint = near;
            Some(diagnostic)
        }
        _ => None,
    }
}

/// Returns the path from one page to another.
fn relative(from: &str, to: &str) -> String {
    let from: Vec<&str> = super::folder_of_page(from).split('/').filter(|part| !part.is_empty()).collect();
    let parts: Vec<&str> = to.split('/').collect();
    let common = from.iter().zip(&parts).take_while(|(a, b)| a == b).count();
    let mut out = vec![".."; from.len() - common];
    out.extend(parts.iter().skip(common));
    out.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::sources::documents;
    use crate::docs::site::Opening;
    use crate::docs::site::tests::site;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let report = run(&site(files));
        let line = |problem: &Diagnostic| {
            let at = problem.location.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{at} {}", problem.code.trim_start_matches("docs::"))
        };
        report.problems.iter().map(line).collect()
    }

    #[test]
    fn everything_wrong_has_its_place() {
        let found = found(&[
            (
                "mkdocs.yml",
                "site_name: x\nnav:\n- index.md\n- Gone: gone.md\nhooks: [x]\nnot_in_nav: |\n  quiet.md\n",
            ),
            (
                "docs/index.md",
                "# A\n\n[ok](b.md#two) [bad](b.md#three) [gone](x.md)\n[here](#none) ![no](p.png) [js](javascript:a)\n[mail](mailto:a@b.c) [tel](tel:1) [ssh](ssh://h)\n",
            ),
            ("docs/b.md", "# B\n\n## Two\n"),
            ("docs/quiet.md", "# Q\n"),
        ]);
        assert_eq!(
            found,
            [
                "docs/b.md orphan",
                "docs/index.md:3:22 broken-anchor",
                "docs/index.md:3:41 broken-link",
                "docs/index.md:4:8 broken-anchor",
                "docs/index.md:4:21 broken-image",
                "docs/index.md:4:33 broken-link",
                "mkdocs.yml:4:3 missing-page",
                "mkdocs.yml:5:1 ignored",
            ]
        );
    }

    #[test]
    fn places_in_snippets_are_those_of_the_snippet() {
        let found = found(&[
            ("mkdocs.yml", "site_name: x\n"),
            ("docs/index.md", "# A\n\n--8<-- \"part.md\"\n\n[bad](no.md)\n"),
            ("part.md", "text\n\n[bad](nope.md)\n"),
        ]);
        assert_eq!(found, ["docs/index.md:5:7 broken-link", "part.md:3:7 broken-link"]);
    }

    #[test]
    fn the_documentation_of_the_sample_is_clean() {
        for folder in
            ["platform/handbook", "shop/shop-web", "payments/checkout-api", "payments/payment-gateway"]
        {
            let opening = Opening {
                tree: documents::embedded(),
                folder: folder.to_owned(),
                name: "x".to_owned(),
                edit_base: None,
                is_readme_enough: true,
                is_any_folder: false,
            };
            let report = run(&Site::open(&opening).unwrap());
            let wrong: Vec<String> = report
                .problems
                .iter()
                .filter(|problem| problem.severity != Severity::Info)
                .map(Diagnostic::render)
                .collect();
            assert!(wrong.is_empty(), "{folder}:\n{}", wrong.join("\n"));
            assert!(report.pages > 1, "{folder}");
        }
    }
}
