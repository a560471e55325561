//! `docs`: the documentation of an entity, of a folder or of a file; `docs check` for pipelines.

use super::args::{ColorChoice, GlobalArgs};
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::table::{self, Cell};
use super::{repository, select, session};
use crate::catalog::{Catalog, Entity, EntityId};
use crate::config::Config;
use crate::config::setting;
use crate::config::theme::Theme;
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::docs::markdown::highlight::{Highlights, highlight};
use crate::docs::markdown::{BlockKind, LinkKind, Page, View, layout, parse};
use crate::docs::paint;
use crate::docs::site::place::{self, PlaceError};
use crate::docs::site::{NavItem, PageSource, Site, SiteError, Target, check};
use crate::model::entity_ref::split_canonical;
use crate::model::text::{clean, width};
use clap::{Subcommand, ValueEnum};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Width of lines where no terminal says one, and the widest there is.
const WIDTH: usize = 100;
/// Sites that one check goes through.
const MAX_SITES: usize = 1000;

/// Arguments of `docs`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "REF is an entity, or a path: `./page.md`, `./docs`, a folder with a `mkdocs.yml`. PAGE is a path with or without `.md`, \
the end of one, or a title; without it the first page is printed. Without REF the entities that say they have documentation are listed.\n\n\
JSON of a page: `site`, `page`, `title`, `file`, `headings` (`level`, `text`, `anchor`, `line`), `links` (`text`, `to`, `line`, `target`), `markdown`. \
JSON of `--nav`: one object per entry, in order: `kind` (page, section, link, missing, record), `level`, `title`, `path`, `file`, `inNav`."
)]
pub struct Args {
    /// What to do instead of printing
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Ref or name of an entity, or path of a file or folder
    #[arg(value_name = "REF|PATH")]
    pub what: Option<String>,
    /// Page of its documentation, with `#anchor` for a part of it
    #[arg(value_name = "PAGE")]
    pub page: Option<String>,
    /// List the pages in place of one page's text
    #[arg(long, conflicts_with = "page")]
    pub nav: bool,
    /// Widest line in cells; the terminal's, at most 100, when absent
    #[arg(long, value_name = "CELLS", value_parser = clap::value_parser!(u16).range(20..=1000))]
    pub width: Option<u16>,
    /// Form of the output; `ansi` on a terminal, `text` elsewhere
    #[arg(short, long, value_name = "FORM")]
    pub output: Option<Form>,
}

/// What else `docs` does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Report broken links, missing and orphaned pages and unknown syntax; exits with 8 when something is wrong
    Check(CheckArgs),
}

/// Arguments of `docs check`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Errors and warnings make it exit with 8; notes do not. Codes: docs::broken-link, docs::broken-anchor, docs::broken-image, \
docs::missing-page, docs::orphan, docs::unknown-syntax, docs::unclosed, docs::footnote, docs::snippet, docs::include, docs::nav, docs::config, \
docs::no-pages, docs::outside, docs::bounded; notes: docs::ignored, docs::web-differs, docs::diagram. The web is not asked."
)]
pub struct CheckArgs {
    /// Folder with a `mkdocs.yml` (or folders that have one below it), a page, or an entity
    #[arg(value_name = "PATH|REF", default_value = ".")]
    pub path: String,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    pub output: CheckForm,
}

/// Forms of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Laid out, without colours.
    Text,
    /// Laid out, in colours.
    Ansi,
    /// The Markdown, with snippets filled in.
    Md,
    /// One object; an array for lists.
    Json,
}

/// Forms of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckForm {
    /// For people.
    Text,
    /// An array of what is wrong.
    Json,
    /// One object a line.
    Jsonl,
}

/// Runs `docs`.
///
/// # Errors
/// For names and paths that mean nothing, pages that do not exist, sources that cannot be read.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    if let Some(Command::Check(args)) = &args.command {
        return check(global, args, out);
    }
    let Some(what) = &args.what else { return list(global, args, out) };
    let session = session::open(global);
    let (opened, exit) = open(global, &session, what, out)?;
    let Opened { site, page: named } = opened;
    if let Some(stale) = &site.stale {
        out.note(&format!("{} is shown {stale}", site.name));
    }
    if args.nav {
        return nav(&site, args, out).map(|()| exit);
    }
    let wanted = args.page.as_deref().or(named.as_deref()).unwrap_or("");
    let (wanted, anchor) =
        wanted.split_once('#').map_or((wanted, None), |(page, anchor)| (page, Some(anchor)));
    let path = site.find(wanted).map_err(no_page)?;
    let source = site.page(&path).map_err(no_page)?;
    for problem in &source.problems {
        out.diagnostic(problem);
    }
    print(&session.config, global, &site, &source, anchor, args, out)?;
    Ok(exit)
}

/// A site, and the page of it that was named.
struct Opened {
    site: Site,
    page: Option<String>,
}

/// Opens what a word names: a path, or an entity.
fn open(
    global: &GlobalArgs,
    session: &session::Session,
    what: &str,
    out: &mut Output,
) -> Result<(Opened, Exit), CliError> {
    if is_path(what) {
        return open_path(Path::new(what)).map(|opened| (opened, Exit::Fine));
    }
    let loaded = session.load(out)?;
    let id = match select::one(&loaded.catalog, what, None, global) {
        Ok(id) => id,
        // of several entities of one name, the one that has documentation is meant
        Err(CliError::Usage(error)) => match only_with_docs(&loaded.catalog, what) {
            Some(id) => id,
            None => return Err(CliError::Usage(error)),
        },
        Err(CliError::NotFound(_)) if Path::new(what).exists() => {
            return open_path(Path::new(what)).map(|opened| (opened, Exit::Fine));
        }
        Err(error) => return Err(error),
    };
    let Some(entity) = loaded.catalog.entity(id) else {
        let message = format!("nobody describes `{}`", loaded.catalog.ref_of(id));
        return Err(CliError::not_found(Diagnostic::error("cli::not-found", message)));
    };
    let progress = repository::progress(session);
    let found = place::open(&session.loader, &loaded.catalog, &entity, &progress).map_err(|error| {
        let diagnostic = error.to_diagnostic();
        match error {
            PlaceError::Nothing { .. } => CliError::not_found(diagnostic),
            PlaceError::Unreadable { is_unreachable: true, .. } => CliError::unreachable(diagnostic),
            _ => CliError::failure(diagnostic),
        }
    })?;
    let page = Some(found.page).filter(|page| !page.is_empty());
    Ok((Opened { site: found.site, page }, loaded.exit))
}

/// Returns the only entity of a name that says it has documentation.
fn only_with_docs(catalog: &Catalog, name: &str) -> Option<EntityId> {
    let is_meant = |entity: &Entity<'_>| {
        split_canonical(entity.entity_ref()).2.eq_ignore_ascii_case(name) && place::has_docs(entity)
    };
    let mut found = catalog.entities().filter(is_meant);
    let first = found.next()?.id();
    found.next().is_none().then_some(first)
}

/// Whether a word can only be a path.
fn is_path(what: &str) -> bool {
    let path = Path::new(what);
    what.starts_with(['.', '/', '~'])
        || path.is_absolute()
        || (crate::docs::site::is_page(what) && path.is_file())
}

fn open_path(path: &Path) -> Result<Opened, CliError> {
    if !path.exists() {
        let shown = path.display().to_string();
        let diagnostic =
            Diagnostic::error("docs::not-found", format!("there is no file or folder `{shown}`"));
        return Err(CliError::not_found(diagnostic.at(SourceLocation::file(shown))));
    }
    let (site, page) = place::open_path(path)
        .map_err(|message| CliError::failure(Diagnostic::error("docs::unreadable", message)))?;
    Ok(Opened { site, page })
}

fn no_page(error: SiteError) -> CliError {
    let diagnostic = Diagnostic::error("docs::no-page", error.to_string());
    match error {
        SiteError::NoPage { near, .. } if !near.is_empty() => {
            let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
            CliError::not_found(diagnostic.hint(format!("did you mean {}?", near.join(", "))))
        }
        SiteError::NoPage { .. } | SiteError::Nothing { .. } => {
            CliError::not_found(diagnostic.hint("`--nav` lists the pages"))
        }
        SiteError::Unreadable { .. } => CliError::failure(diagnostic),
    }
}

fn print(
    config: &Config,
    global: &GlobalArgs,
    site: &Site,
    source: &PageSource,
    anchor: Option<&str>,
    args: &Args,
    out: &mut Output,
) -> Result<(), CliError> {
    let form = args.output.unwrap_or(if out.has_colour() { Form::Ansi } else { Form::Text });
    if form == Form::Md {
        let end = if source.text.ends_with('\n') { "" } else { "\n" };
        let text = if out.is_terminal() { clean_text(&source.text) } else { source.text.clone() };
        return out.text(&format!("{text}{end}"));
    }
    let page = parse(&source.text, &check::dialect(site));
    if form == Form::Json {
        return out.json(&page_json(site, source, &page));
    }
    let columns = args.width.map(usize::from).or_else(|| out.columns().map(|columns| columns.min(WIDTH)));
    let laid = layout(&page, columns.unwrap_or(WIDTH), &View::print());
    let first = match anchor {
        Some(anchor) => laid.line_of_anchor(&page, anchor).ok_or_else(|| {
            let names: Vec<&str> = page.headings.iter().map(|heading| heading.anchor.as_str()).collect();
            let near = crate::model::text::nearest(anchor, names);
            let message = format!("the page `{}` has no heading `#{anchor}`", source.path);
            let mut diagnostic = Diagnostic::error("docs::no-anchor", message);
            diagnostic.hint = near.first().map(|near| format!("did you mean `#{near}`?"));
            CliError::not_found(diagnostic)
        })?,
        None => 0,
    };
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_colourless = match global.color {
        ColorChoice::Never => true,
        ColorChoice::Always => false,
        ColorChoice::Auto => no_colour,
    };
    if form == Form::Text || is_colourless {
        let mut text = String::new();
        for line in first..laid.lines.len() {
            text.push_str(&laid.line_text(line));
            text.push('\n');
        }
        return out.text(&text);
    }
    let theme = Theme::load(config.text(&setting::THEME), Some(&config.paths.themes()));
    let theme = theme.map_or_else(|_| Theme::built_in_default(), |(theme, _)| theme);
    let highlights = highlighted(&page);
    let lines: Vec<usize> = (first..laid.lines.len()).collect();
    // lines are put together side by side: a long page is printed as fast as it is read
    let chunks: Vec<String> = lines
        .par_chunks(256)
        .map(|lines| {
            let mut text = String::with_capacity(lines.len() * 120);
            for line in lines {
                for span in laid.highlighted(*line, &highlights) {
                    paint::write_ansi(&mut text, &theme, paint::look(&span), span.text);
                }
                text.truncate(text.trim_end_matches(' ').len());
                text.push('\n');
            }
            text
        })
        .collect();
    chunks.iter().try_for_each(|chunk| out.text(chunk))
}

fn clean_text(text: &str) -> String {
    crate::model::text::clean_lines(text).into_owned()
}

/// Highlights every code block of a page.
fn highlighted(page: &Page) -> Highlights {
    let mut codes = Vec::new();
    page.visit(|block| {
        if let BlockKind::Code(code) = &block.kind {
            codes.push((code.text, code.language.as_str()));
        }
    });
    let found: Vec<_> =
        codes.par_iter().map(|(id, language)| (*id, highlight(&page.text(*id).text, language))).collect();
    let mut out = Highlights::default();
    for (id, pieces) in found {
        out.put(id, pieces);
    }
    out
}

fn page_json(site: &Site, source: &PageSource, page: &Page) -> Value {
    let headings: Vec<Value> = page
        .headings
        .iter()
        .map(|heading| {
            json!({ "level": heading.level, "text": heading.text, "anchor": heading.anchor, "line": heading.line })
        })
        .collect();
    let links: Vec<Value> = page
        .links
        .iter()
        .filter(|link| link.kind != LinkKind::Footnote)
        .map(|link| {
            json!({
                "text": link.text,
                "to": link.to,
                "line": link.line,
                "target": target_json(&site.resolve(&source.path, &link.to, &[])),
            })
        })
        .collect();
    json!({
        "site": site.name,
        "page": source.path,
        "title": page.title().map_or_else(|| site.title_of(&source.path), str::to_owned),
        "description": page.front.description,
        "file": source.shown,
        "headings": headings,
        "links": links,
        "markdown": source.text,
    })
}

fn target_json(target: &Target) -> Value {
    match target {
        Target::Page { path, anchor } => json!({ "kind": "page", "path": path, "anchor": anchor }),
        Target::Entity(entity) => json!({ "kind": "entity", "ref": entity }),
        Target::Docs { entity, page, anchor } => {
            json!({ "kind": "docs", "ref": entity, "path": page, "anchor": anchor })
        }
        Target::Web(url) => json!({ "kind": "web", "url": url }),
        Target::File(file) => json!({ "kind": "file", "path": file.trim_start_matches("file:") }),
        Target::Unresolved(why) => json!({ "kind": "broken", "reason": why.to_string() }),
    }
}

/// Prints the navigation.
fn nav(site: &Site, args: &Args, out: &mut Output) -> Result<(), CliError> {
    if args.output == Some(Form::Json) {
        return out.json(&nav_json(site));
    }
    let title = out.paint(Role::Title, &clean(&site.name));
    out.line(&title)?;
    let named = |title: &str, path: &str| format!("{}  {}", clean(title), clean(path));
    for (level, item) in site.flat_nav() {
        let text = match item {
            NavItem::Page { title, page } => {
                let info = site.pages.get(*page);
                let path = info.map_or("", |info| info.path.as_str());
                let title = title.as_deref().or_else(|| info.map(|info| info.title.as_str())).unwrap_or(path);
                let dim = out.paint(Role::Dim, &clean(path));
                format!("{}  {dim}", clean(title))
            }
            NavItem::Section { title, .. } => out.paint(Role::Accent, &clean(title)),
            NavItem::Link { title, url } => named(title, url),
            NavItem::Missing { title, path } => {
                out.paint(Role::Error, &format!("{} (there is no `{}`)", clean(title), clean(path)))
            }
        };
        out.line(&format!("{}{text}", "  ".repeat(level + 1)))?;
    }
    let is_record = |path: &str| site.records.iter().any(|record| record.page == path);
    let others: Vec<&crate::docs::site::PageInfo> =
        site.pages.iter().filter(|page| !page.in_nav && !is_record(&page.path)).collect();
    if !others.is_empty() {
        let heading = out.paint(Role::Accent, "Not in the navigation");
        out.line(&format!("  {heading}"))?;
        for page in others {
            out.line(&format!("    {}", named(&page.title, &page.path)))?;
        }
    }
    if !site.records.is_empty() {
        let heading = out.paint(Role::Accent, "Decisions");
        out.line(&format!("  {heading}"))?;
        let widest = site.records.iter().map(|record| width(&record.title)).max().unwrap_or(0).min(60);
        for record in &site.records {
            let pad = widest.saturating_sub(width(&record.title));
            let facts = [record.status.as_str(), record.date.as_str()];
            let facts: Vec<_> = facts.into_iter().filter(|fact| !fact.is_empty()).map(clean).collect();
            let line = format!(
                "    {:04}  {}{:pad$}  {}",
                record.number,
                clean(&record.title),
                "",
                facts.join("  ")
            );
            out.line(line.trim_end())?;
        }
    }
    Ok(())
}

fn nav_json(site: &Site) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for (level, item) in site.flat_nav() {
        out.push(match item {
            NavItem::Page { title, page } => {
                let info = site.pages.get(*page);
                let path = info.map_or("", |info| info.path.as_str());
                let title = title.as_deref().or_else(|| info.map(|info| info.title.as_str()));
                json!({ "kind": "page", "level": level, "title": title, "path": path, "file": site.shown(path), "inNav": true })
            }
            NavItem::Section { title, .. } => json!({ "kind": "section", "level": level, "title": title }),
            NavItem::Link { title, url } => json!({ "kind": "link", "level": level, "title": title, "url": url }),
            NavItem::Missing { title, path } => {
                json!({ "kind": "missing", "level": level, "title": title, "path": path })
            }
        });
    }
    for page in site.pages.iter().filter(|page| !page.in_nav) {
        out.push(json!({
            "kind": "page", "level": 0, "title": page.title, "path": page.path, "file": site.shown(&page.path), "inNav": false,
        }));
    }
    for record in &site.records {
        out.push(json!({
            "kind": "record", "level": 0, "title": record.title, "path": record.page, "number": record.number,
            "status": record.status, "date": record.date, "file": site.shown(&record.page),
        }));
    }
    out
}

/// Lists the entities that say they have documentation.
fn list(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let session = session::open(global);
    let loaded = session.load(out)?;
    let rows = with_docs(&loaded.catalog);
    if args.output == Some(Form::Json) {
        let rows: Vec<Value> = rows
            .iter()
            .map(|row| json!({ "ref": row.entity, "title": row.title, "annotation": row.annotation, "records": row.has_records }))
            .collect();
        out.json(&rows)?;
        return Ok(loaded.exit);
    }
    if rows.is_empty() {
        out.note(
            "no entity says that it has documentation; a README beside a descriptor is shown all the same",
        );
    }
    let head = ["NAME", "TITLE", "DOCUMENTATION"];
    let cells: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| vec![Cell::new(&row.entity), Cell::new(&row.title), Cell::new(&row.annotation)])
        .collect();
    table::print(out, &head, &cells)?;
    Ok(loaded.exit)
}

/// An entity that says it has documentation.
struct WithDocs {
    entity: String,
    title: String,
    annotation: String,
    has_records: bool,
}

fn with_docs(catalog: &Catalog) -> Vec<WithDocs> {
    catalog
        .entities()
        .filter(|entity| place::has_docs(entity) || entity.annotation(place::RECORDS).is_some())
        .map(|entity| WithDocs {
            entity: entity.entity_ref().to_owned(),
            title: entity.title().unwrap_or_else(|| entity.name()).to_owned(),
            annotation: [place::REF, place::ENTITY]
                .iter()
                .find_map(|key| entity.annotation(key))
                .unwrap_or("")
                .to_owned(),
            has_records: entity.annotation(place::RECORDS).is_some(),
        })
        .collect()
}

/// Runs `docs check`.
fn check(global: &GlobalArgs, args: &CheckArgs, out: &mut Output) -> Result<Exit, CliError> {
    let mut report = check::Report::default();
    let mut sites = 0;
    for (site, page) in sites_to_check(global, &args.path, out)? {
        sites += 1;
        let found = match page {
            Some(page) => check::run_page(&site, &page),
            None => check::run(&site),
        };
        report.pages += found.pages;
        report.links += found.links;
        report.problems.extend(found.problems);
    }
    let is_wrong = report.problems.iter().any(|problem| problem.severity != Severity::Info);
    match args.output {
        CheckForm::Json => out.json(&report.problems.iter().map(problem_json).collect::<Vec<_>>())?,
        CheckForm::Jsonl => {
            report.problems.iter().try_for_each(|problem| out.json_line(&problem_json(problem)))?;
        }
        CheckForm::Text => {
            let has_colour = out.has_colour();
            for problem in &report.problems {
                out.text(&super::output::render(problem, has_colour))?;
            }
        }
    }
    let count =
        |severity: Severity| report.problems.iter().filter(|problem| problem.severity == severity).count();
    out.note(&format!(
        "{}, {}, {} looked at: {}, {}, {}",
        plural(sites, "site"),
        plural(report.pages, "page"),
        plural(report.links, "link"),
        plural(count(Severity::Error), "error"),
        plural(count(Severity::Warning), "warning"),
        plural(count(Severity::Info), "note"),
    ));
    Ok(if is_wrong { Exit::CheckFailed } else { Exit::Fine })
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn problem_json(problem: &Diagnostic) -> Value {
    let location = problem.location.as_ref();
    json!({
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "file": location.map(|location| &location.file),
        "line": location.map(|location| location.line).filter(|line| *line > 0),
        "column": location.map(|location| location.column).filter(|column| *column > 0),
        "hint": problem.hint,
    })
}

/// Finds what is to be checked: one site, one page, or every site below a folder.
fn sites_to_check(
    global: &GlobalArgs,
    what: &str,
    out: &mut Output,
) -> Result<Vec<(Site, Option<String>)>, CliError> {
    let path = Path::new(what);
    if !path.exists() && !is_path(what) {
        let session = session::open(global);
        let (opened, _) = open(global, &session, what, out)?;
        return Ok(vec![(opened.site, opened.page)]);
    }
    if path.is_dir() && !has_config(path) && !path.join("docs").is_dir() {
        let mut found: Vec<PathBuf> = ignore::WalkBuilder::new(path)
            .filter_entry(|entry| {
                let name = entry.file_name().to_string_lossy();
                name != "node_modules" && !name.contains("${{")
            })
            .build()
            .flatten()
            .filter(|entry| matches!(entry.file_name().to_str(), Some("mkdocs.yml" | "mkdocs.yaml")))
            // a file with places to fill in is one of a template
            .filter(|entry| {
                !std::fs::read_to_string(entry.path())
                    .is_ok_and(|text| text.contains("${{") || text.contains("{%"))
            })
            .filter_map(|entry| entry.path().parent().map(Path::to_path_buf))
            .take(MAX_SITES)
            .collect();
        found.sort();
        found.dedup();
        if !found.is_empty() {
            let sites: Vec<(PathBuf, Site)> = found
                .into_iter()
                .filter_map(|folder| Some((folder.clone(), open_path(&folder).ok()?.site)))
                .collect();
            // what another site includes is checked as a part of it
            let included: Vec<String> = sites.iter().flat_map(|(_, site)| site.includes()).collect();
            let is_included = |folder: &Path| {
                let full = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
                included.contains(&format!("file:{}", full.display()))
            };
            let own = sites.into_iter().filter(|(folder, _)| !is_included(folder));
            return Ok(own.map(|(_, site)| (site, None)).collect());
        }
    }
    let opened = open_path(path)?;
    let page = opened.page.filter(|_| path.is_file());
    Ok(vec![(opened.site, page)])
}

fn has_config(folder: &Path) -> bool {
    folder.join("mkdocs.yml").is_file() || folder.join("mkdocs.yaml").is_file()
}
