//! What is asked over GraphQL, and what comes back.
//!
//! Values of the configuration travel as variables; what stands in the text of a query is written as a
//! string by JSON's rules, which are GraphQL's.

use super::super::forge::source_error;
use super::super::forge::{Content, Listed, ListedFile, Page, Plan, ReadAnswer, Repository, Wanted, Wish};
use super::Github;
use crate::catalog::glob::is_glob;
use crate::catalog::sources::SourceError;
use crate::net::{NetError, NetNote, Rate};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::atomic::Ordering;

/// Repositories of one page; the most that GitHub gives.
pub(super) const PAGE: usize = 100;
/// Files that one request reads.
pub(super) const BATCH: usize = 100;
/// Fewest that a page shrinks to when the server does not manage more.
const SMALLEST: usize = 5;
/// Times that a request is sent again because the limit of the server was used up.
const MAX_LIMITED: usize = 5;
/// Folders below the fixed one that a listing looks into for a pattern; deeper ones need the whole tree.
const MAX_LEVELS: usize = 3;

/// Why a query gave nothing.
pub(super) enum Failed {
    /// The server did not manage; less at once may work.
    TooMuch(NetError),
    /// The place to go on from is not known any more.
    Stale(NetError),
    /// There is no such organisation.
    NotFound,
    /// It says no to the token.
    Denied(String),
    Net(NetError),
}

#[derive(Deserialize)]
pub(super) struct Reply<T> {
    pub data: Option<T>,
    #[serde(default)]
    pub errors: Vec<Complaint>,
}

#[derive(Deserialize)]
pub(super) struct Complaint {
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub path: Vec<Value>,
}

impl Complaint {
    fn is(&self, kind: &str) -> bool {
        self.kind.as_deref() == Some(kind)
    }

    /// Its words, cut and on one line.
    pub fn words(&self) -> String {
        let words: String = self.message.chars().take(300).collect();
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[derive(Deserialize)]
struct Budget {
    #[serde(rename = "rateLimit")]
    rate: Option<RateLimit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RateLimit {
    #[serde(default)]
    cost: u64,
    remaining: u64,
    limit: Option<u64>,
    reset_at: Option<String>,
}

/// Asked with each query.
pub(super) const RATE: &str = "rateLimit { cost remaining limit resetAt }";

#[derive(Deserialize)]
struct Listing {
    #[serde(rename = "repositoryOwner")]
    owner: Option<Owner>,
}

#[derive(Deserialize)]
struct Owner {
    repositories: Option<Connection<Node>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection<T> {
    #[serde(default)]
    pub total_count: Option<usize>,
    pub page_info: PageInfo,
    pub nodes: Vec<Option<T>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
}

impl PageInfo {
    pub fn next(self) -> Option<String> {
        self.end_cursor.filter(|_| self.has_next_page)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    name_with_owner: String,
    #[serde(default)]
    is_archived: bool,
    #[serde(default)]
    is_fork: bool,
    #[serde(default)]
    visibility: String,
    head: Option<Head>,
    repository_topics: Option<Topics>,
    object: Option<Object>,
}

#[derive(Deserialize)]
struct Head {
    name: String,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    oid: String,
}

#[derive(Deserialize)]
struct Topics {
    nodes: Vec<Option<TopicNode>>,
}

#[derive(Deserialize)]
struct TopicNode {
    topic: Topic,
}

#[derive(Deserialize)]
struct Topic {
    name: String,
}

/// A blob or a tree.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    oid: Option<String>,
    #[serde(default)]
    is_binary: Option<bool>,
    #[serde(default)]
    is_truncated: bool,
    text: Option<String>,
    entries: Option<Vec<TreeEntry>>,
}

#[derive(Deserialize)]
struct TreeEntry {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    oid: String,
    object: Option<Object>,
}

impl Object {
    /// Returns the text if it is all there.
    fn whole_text(&mut self) -> Option<String> {
        let whole = !self.is_truncated && self.is_binary != Some(true);
        self.text.take().filter(|_| whole)
    }
}

/// What a listing asks of each repository about its descriptors.
struct Look {
    /// Revision and path: `HEAD:catalog-info.yaml`.
    expression: String,
    /// Fields of the object.
    fields: String,
    /// Whether the answer says everything.
    complete: bool,
}

impl Github<'_> {
    fn look(&self) -> Look {
        let revision = self.cx.config.branch.as_deref().unwrap_or("HEAD");
        match &self.plan {
            Plan::File(path) => Look {
                expression: format!("{revision}:{path}"),
                fields: "... on Blob { oid isBinary isTruncated text @include(if: $texts) }".to_owned(),
                complete: true,
            },
            Plan::Glob { folder, .. } => {
                let glob = self.cx.config.catalog_path.as_deref().unwrap_or_default();
                let levels = levels(glob, folder);
                let fields = levels.map(tree_fields);
                Look {
                    expression: format!("{revision}:{folder}"),
                    complete: fields.is_some(),
                    fields: fields.unwrap_or_else(|| "oid".to_owned()),
                }
            }
        }
    }

    /// Lists a page; asks for less when the server does not manage.
    pub(super) fn page_by_query(&self, wish: &Wish<'_>) -> Result<Page, SourceError> {
        let look = self.look();
        loop {
            let size = self.page_size.load(Ordering::Relaxed);
            match self.ask_page(wish, &look, size) {
                Ok(page) => return Ok(page),
                Err(Failed::TooMuch(error)) => {
                    if size <= SMALLEST {
                        return Err(self.net_error(error));
                    }
                    tracing::info!(size, %error, "asking for fewer repositories at once");
                    self.page_size.store((size / 2).max(SMALLEST), Ordering::Relaxed);
                }
                Err(failed) => return Err(self.source_error(failed)),
            }
        }
    }

    fn ask_page(&self, wish: &Wish<'_>, look: &Look, size: usize) -> Result<Page, Failed> {
        let (declared, head) = match &self.cx.config.branch {
            Some(_) => (", $branch: String!", "ref(qualifiedName: $branch)"),
            None => ("", "defaultBranchRef"),
        };
        // a variable that no field uses is an error
        let texts = if look.fields.contains("$texts") { ", $texts: Boolean!" } else { "" };
        let query = format!(
            "query($owner: String!, $after: String, $size: Int!, $expression: String!{texts}{declared}) {{ {RATE} \
             repositoryOwner(login: $owner) {{ repositories(first: $size, after: $after, ownerAffiliations: [OWNER], orderBy: \
             {{field: NAME, direction: ASC}}) {{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ nameWithOwner \
             isArchived isFork visibility head: {head} {{ name target {{ oid }} }} repositoryTopics(first: 30) {{ nodes {{ topic \
             {{ name }} }} }} object(expression: $expression) {{ {} }} }} }} }} }}",
            look.fields
        );
        let mut variables = json!({
            "owner": self.host.owner,
            "after": wish.after,
            "size": size,
            "expression": look.expression,
        });
        if let Some(map) = variables.as_object_mut() {
            if !texts.is_empty() {
                map.insert("texts".to_owned(), wish.texts.into());
            }
            if let Some(branch) = &self.cx.config.branch {
                map.insert("branch".to_owned(), branch.as_str().into());
            }
        }
        let reply: Reply<Listing> = self.ask(&query, &variables)?;
        let owner = reply.data.and_then(|data| data.owner);
        let Some(connection) = owner.and_then(|owner| owner.repositories) else {
            return Err(without_data(&reply.errors, &self.host.place()));
        };
        Ok(self.page_of(connection, &reply.errors, look))
    }

    fn page_of(&self, connection: Connection<Node>, errors: &[Complaint], look: &Look) -> Page {
        let mut page = Page { total: connection.total_count, ..Page::default() };
        page.next = connection.page_info.next();
        for (at, node) in connection.nodes.into_iter().enumerate() {
            // the path of an error names the repository by its place in the list
            let complaint = errors.iter().find(|error| {
                error.path.get(2).and_then(Value::as_str) == Some("nodes")
                    && error.path.get(3).and_then(Value::as_u64) == Some(at as u64)
            });
            match (node, complaint) {
                (Some(node), None) => page.repositories.push(self.repository(node, look)),
                (node, complaint) => {
                    let name = node.map_or_else(
                        || format!("{} (number {} of its page)", self.host.owner, at + 1),
                        |node| node.name_with_owner,
                    );
                    let cause = complaint.map_or_else(
                        || "the server left it out".to_owned(),
                        |c| format!("the server says: {}", c.words()),
                    );
                    page.problems.push((name, cause));
                }
            }
        }
        page
    }

    fn repository(&self, node: Node, look: &Look) -> Repository {
        let (branch, head) = match node.head {
            Some(head) => (head.name, head.target.map(|target| target.oid)),
            None => (String::new(), None),
        };
        let topics = node.repository_topics.map(|topics| topics.nodes).unwrap_or_default();
        Repository {
            path: node.name_with_owner,
            branch,
            stamp: head,
            topics: topics.into_iter().flatten().map(|node| node.topic.name).collect(),
            archived: node.is_archived,
            fork: node.is_fork,
            visibility: node.visibility.to_lowercase(),
            files: if look.complete { self.listed(node.object) } else { Listed::Unknown },
        }
    }

    fn listed(&self, object: Option<Object>) -> Listed {
        let Some(mut object) = object else { return Listed::Known(Vec::new()) };
        match &self.plan {
            Plan::File(path) => {
                let text = object.whole_text();
                let file = |blob| ListedFile { path: path.clone(), blob, text };
                // a folder of this name has no size and no text, and no id was asked for
                Listed::Known(object.oid.map(file).into_iter().collect())
            }
            Plan::Glob { pattern, folder } => {
                let mut files = Vec::new();
                collect(object.entries.unwrap_or_default(), folder, &mut files);
                files.retain(|file| pattern.is_match(&file.path));
                Listed::Known(files)
            }
        }
    }

    /// Reads files by one query; those that it does not give whole by REST.
    pub(super) fn read_by_query(&self, wanted: &[Wanted]) -> Vec<ReadAnswer> {
        let failed = |error: NetError| wanted.iter().map(|_| Err(error.clone())).collect();
        let mut query = format!("query {{ {RATE}");
        for (at, wanted) in wanted.iter().enumerate() {
            let Some((owner, name)) = wanted.repository.split_once('/') else { continue };
            let revision = wanted.revision.as_deref().unwrap_or("HEAD");
            let quoted = |text: &str| Value::from(text).to_string();
            let _ = write!(
                query,
                " r{at}: repository(owner: {}, name: {}) {{ object(expression: {}) {{ ... on Blob {{ oid isBinary \
                 isTruncated text }} }} }}",
                quoted(owner),
                quoted(name),
                quoted(&format!("{revision}:{}", wanted.path)),
            );
        }
        query.push_str(" }");
        let reply: Result<Reply<serde_json::Map<String, Value>>, _> = self.ask(&query, &json!({}));
        let reply = match reply {
            Ok(reply) if reply.data.is_none() => Err(without_data(&reply.errors, &self.host.place())),
            other => other,
        };
        let reply = match reply {
            Ok(reply) => reply,
            // too much at once: by halves
            Err(Failed::TooMuch(_)) if wanted.len() > 1 => {
                let (first, second) = wanted.split_at(wanted.len() / 2);
                let mut answers = self.read_by_query(first);
                answers.extend(self.read_by_query(second));
                return answers;
            }
            Err(Failed::TooMuch(error) | Failed::Stale(error) | Failed::Net(error)) => return failed(error),
            Err(Failed::NotFound) => return wanted.iter().map(|_| Ok(None)).collect(),
            Err(Failed::Denied(words)) => return failed(self.broken(words)),
        };
        let mut data = reply.data.unwrap_or_default();
        wanted
            .iter()
            .enumerate()
            .map(|(at, wanted)| {
                let alias = format!("r{at}");
                let complaint =
                    reply.errors.iter().find(|e| e.path.first().and_then(Value::as_str) == Some(&*alias));
                if let Some(complaint) = complaint {
                    return if complaint.is("NOT_FOUND") {
                        Ok(None)
                    } else {
                        Err(self.broken(format!("it says: {}", complaint.words())))
                    };
                }
                self.content(wanted, data.get_mut(&alias).map(Value::take))
            })
            .collect()
    }

    fn content(&self, wanted: &Wanted, repository: Option<Value>) -> ReadAnswer {
        #[derive(Deserialize)]
        struct Holder {
            object: Option<Object>,
        }
        let holder: Option<Holder> = repository
            .map_or(Ok(None), serde_json::from_value)
            .map_err(|error| self.broken(format!("it is not the JSON that was expected ({error})")))?;
        let Some(mut object) = holder.and_then(|holder| holder.object) else { return Ok(None) };
        let Some(blob) = object.oid.clone() else { return Ok(None) };
        let bytes = match object.whole_text() {
            Some(text) => text.into_bytes().into(),
            None => self.blob_by_rest(&wanted.repository, &blob)?,
        };
        Ok(Some(Content { blob: Some(blob), bytes }))
    }

    /// Sends a query; waits where the limit is used up.
    pub(super) fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        query: &str,
        variables: &Value,
    ) -> Result<Reply<T>, Failed> {
        let body = json!({ "query": query, "variables": variables });
        for _ in 0..MAX_LIMITED {
            let answer = self.graphql.query("", &body).map_err(sort_out)?;
            let budget: Option<Reply<Budget>> = answer.json().ok();
            let rate = budget.and_then(|reply| reply.data).and_then(|data| data.rate);
            if let Some(rate) = rate {
                tracing::debug!(cost = rate.cost, left = rate.remaining, "asked over GraphQL");
                (self.cx.notify)(NetNote::Rate(Rate {
                    left: rate.remaining,
                    limit: rate.limit,
                    reset: rate.reset_at.and_then(|at| at.parse().ok()),
                }));
            }
            let reply: Reply<T> = answer.json().map_err(Failed::Net)?;
            let said = |kind: &str| reply.errors.iter().find(|error| error.is(kind));
            // the client waits for what the headers say before it sends again
            if said("RATE_LIMITED").is_some() {
                continue;
            }
            if said("INVALID_CURSOR_ARGUMENTS").is_some() {
                self.stale.store(true, Ordering::Relaxed);
                return Err(Failed::Stale(self.broken("it does not know where the listing stopped".into())));
            }
            return Ok(reply);
        }
        Err(Failed::Net(self.broken("it limits requests and does not say until when".into())))
    }

    pub(super) fn broken(&self, cause: String) -> NetError {
        NetError::Broken { host: self.host.place(), cause }
    }

    fn net_error(&self, error: NetError) -> SourceError {
        let what = format!("organisation or user `{}`", self.host.owner);
        source_error(&self.host.place(), &what, self.has_token, error)
    }

    pub(super) fn source_error(&self, failed: Failed) -> SourceError {
        match failed {
            Failed::TooMuch(error) | Failed::Stale(error) | Failed::Net(error) => self.net_error(error),
            Failed::NotFound => self.net_error(NetError::not_found(self.host.place())),
            Failed::Denied(cause) => SourceError::Refused {
                place: self.host.place(),
                cause,
                hint: "give the token the scopes `repo` (and `read:org` for `org = true`), and allow it for the \
                       organisation where that uses single sign-on"
                    .to_owned(),
            },
        }
    }
}

/// Says what an answer without the wanted data means.
pub(super) fn without_data(errors: &[Complaint], place: &str) -> Failed {
    let denied = errors.iter().find(|e| e.is("FORBIDDEN") || e.is("INSUFFICIENT_SCOPES"));
    if let Some(denied) = denied {
        return Failed::Denied(denied.words());
    }
    match errors.first() {
        None => Failed::NotFound,
        Some(error) if error.is("NOT_FOUND") => Failed::NotFound,
        Some(error) => {
            let error_text =
                NetError::Broken { host: place.to_owned(), cause: format!("it says: {}", error.words()) };
            // what GitHub says when it gave up on a query
            let gave_up = ["timeout", "timed out", "something went wrong", "resource limits"];
            let words = error.message.to_lowercase();
            if gave_up.iter().any(|mark| words.contains(mark)) || error.is("SERVICE_UNAVAILABLE") {
                Failed::TooMuch(error_text)
            } else {
                Failed::Net(error_text)
            }
        }
    }
}

fn sort_out(error: NetError) -> Failed {
    match &error {
        NetError::Status { status: 502 | 504, .. } | NetError::Timeout { .. } | NetError::TooLarge { .. } => {
            Failed::TooMuch(error)
        }
        _ => Failed::Net(error),
    }
}

/// Returns how many levels of folders a listing has to look into for a pattern; `None`: the whole tree.
fn levels(glob: &str, folder: &str) -> Option<usize> {
    let glob = glob.trim_start_matches("./").trim_start_matches('/');
    let rest = glob.strip_prefix(folder).unwrap_or(glob).trim_start_matches('/');
    // braces may hold folders
    let braced = rest.find('{').is_some_and(|open| {
        rest.get(open..).and_then(|text| text.split('}').next()).is_some_and(|inside| inside.contains('/'))
    });
    let levels = rest.split('/').count();
    (!rest.contains("**") && !braced && levels <= MAX_LEVELS && is_glob(rest)).then_some(levels)
}

/// Asks for the entries of this many levels.
fn tree_fields(levels: usize) -> String {
    let mut fields = String::from("... on Tree { entries { name type oid } }");
    for _ in 1..levels {
        fields = format!("... on Tree {{ entries {{ name type oid object {{ {fields} }} }} }}");
    }
    fields
}

fn collect(entries: Vec<TreeEntry>, folder: &str, out: &mut Vec<ListedFile>) {
    for entry in entries {
        let path = if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) };
        match entry.object.and_then(|object| object.entries) {
            Some(entries) => collect(entries, &path, out),
            None if entry.kind == "blob" => {
                out.push(ListedFile { path, blob: entry.oid, text: None });
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_how_deep_a_pattern_goes() {
        let cases = [
            ("/*/catalog-info.yaml", "", Some(2)),
            ("services/*/catalog-info.yaml", "services", Some(2)),
            ("catalog-info.{yml,yaml}", "", Some(1)),
            ("**/catalog-info.yaml", "", None),
            ("a/*/*/*/x.yaml", "a", None),
            ("a/{b,c/d}/x.yaml", "a", None),
        ];
        for (glob, folder, expected) in cases {
            assert_eq!(levels(glob, folder), expected, "{glob}");
        }
    }

    #[test]
    fn asks_level_by_level() {
        assert_eq!(
            tree_fields(2),
            "... on Tree { entries { name type oid object { ... on Tree { entries { name type oid } } } } }"
        );
    }
}
