//! What is asked of GitLab's GraphQL endpoint, and the shape of the answers.
//!
//! One request lists a hundred projects and looks up their descriptors; another one reads files of several
//! projects. Both are texts without any value of the user in them: values go as variables.

use serde::Deserialize;
use std::collections::HashMap;
use std::fmt::Write as _;

/// What a listing should say of each project beside its name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Of one group with its subgroups, not of everything that the token sees.
    pub of_group: bool,
    /// Only those the token's owner is a member of; matters without a group.
    pub membership: bool,
    /// Whether it is a fork; older servers do not know.
    pub forks: bool,
    /// What is on a branch of this name, too.
    pub branch: bool,
    /// Blobs at fixed paths, by their hashes.
    pub blobs: bool,
    /// The texts of the blobs, too.
    pub texts: bool,
    /// How many there are in all.
    pub count: bool,
}

impl Wanted {
    /// Returns the query; its variables are `group`, `after`, `first`, `paths`, `branch`.
    pub fn query(self) -> String {
        let mut head = "query($after: String, $first: Int".to_owned();
        for (wanted, variable) in [
            (self.of_group, ", $group: ID!"),
            (self.blobs, ", $paths: [String!]!"),
            (self.branch, ", $branch: String!"),
        ] {
            head.push_str(if wanted { variable } else { "" });
        }
        let (open, close) = match (self.of_group, self.membership) {
            (true, _) => ("group(fullPath: $group) { projects(includeSubgroups: true, ", " }"),
            (false, true) => ("projects(membership: true, ", ""),
            (false, false) => ("projects(", ""),
        };
        let count = if self.count { "count " } else { "" };
        let fork = if self.forks { " isForked" } else { "" };
        format!(
            "{head}) {{ {open}first: $first, after: $after) {{ {count}pageInfo {{ hasNextPage endCursor }} nodes {{ \
             fullPath archived visibility topics{fork} repository {{ {} }} }} }}{close} }}",
            self.repository()
        )
    }

    fn repository(self) -> String {
        let mut out = "rootRef tree { lastCommit { sha } }".to_owned();
        let text = if self.texts { " rawTextBlob" } else { "" };
        if self.blobs {
            let _ = write!(out, " blobs(paths: $paths) {{ nodes {{ path oid{text} }} }}");
        }
        if self.blobs && self.branch {
            let _ = write!(
                out,
                " branchBlobs: blobs(paths: $paths, ref: $branch) {{ nodes {{ path oid{text} }} }}"
            );
        }
        if self.branch {
            out.push_str(" branchTree: tree(ref: $branch) { lastCommit { sha } }");
        }
        out
    }
}

/// Returns the name of one file in the answer to [`files`].
pub fn alias(at: usize) -> String {
    format!("f{at}")
}

/// Returns the query that reads these files, with its variables; each is an [`OnlyRepository`].
pub fn files(wanted: &[super::Wanted]) -> (String, serde_json::Value) {
    let (mut head, mut body) = (Vec::new(), String::new());
    let mut variables = serde_json::Map::new();
    for (at, wanted) in wanted.iter().enumerate() {
        let alias = alias(at);
        head.push(format!("$p{at}: ID!, $n{at}: [String!]!"));
        variables.insert(format!("p{at}"), wanted.repository.as_str().into());
        variables.insert(format!("n{at}"), serde_json::json!([wanted.path]));
        let mut revision = String::new();
        if let Some(name) = &wanted.revision {
            head.push(format!("$r{at}: String!"));
            variables.insert(format!("r{at}"), name.as_str().into());
            revision = format!(", ref: $r{at}");
        }
        let _ = write!(
            body,
            " {alias}: project(fullPath: $p{at}) {{ repository {{ blobs(paths: $n{at}{revision}, first: 1) {{ nodes {{ \
             path oid rawTextBlob }} }} }} }}"
        );
    }
    (format!("query({}) {{{body} }}", head.join(", ")), variables.into())
}

/// A project of which only files are wanted.
#[derive(Debug, Deserialize)]
pub struct OnlyRepository {
    #[serde(default)]
    pub repository: Option<Repository>,
}

/// An answer: data, errors, or some of both.
#[derive(Debug, Deserialize)]
pub struct Reply<T> {
    #[serde(default = "none")]
    pub data: Option<T>,
    #[serde(default)]
    pub errors: Vec<Complaint>,
}

fn none<T>() -> Option<T> {
    None
}

/// One error of an answer.
#[derive(Debug, Deserialize)]
pub struct Complaint {
    #[serde(default)]
    pub message: String,
}

/// Projects of a group, or of everything.
#[derive(Debug, Deserialize)]
pub struct Projects {
    #[serde(default)]
    pub projects: Option<ProjectPage>,
    /// `None` when it was not asked for; the inner one when there is no such group.
    #[serde(default)]
    pub group: Option<GroupProjects>,
}

#[derive(Debug, Deserialize)]
pub struct GroupProjects {
    pub projects: ProjectPage,
}

impl Projects {
    /// Returns the page, wherever it is.
    pub fn into_page(self) -> Option<ProjectPage> {
        self.group.map(|group| group.projects).or(self.projects)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectPage {
    #[serde(default)]
    pub count: Option<usize>,
    #[serde(default)]
    pub page_info: PageInfo,
    #[serde(default)]
    pub nodes: Vec<Option<Project>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    #[serde(default)]
    pub has_next_page: bool,
    #[serde(default)]
    pub end_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    #[serde(default)]
    pub full_path: String,
    #[serde(default)]
    pub archived: Option<bool>,
    #[serde(default)]
    pub visibility: Option<String>,
    #[serde(default)]
    pub topics: Option<Vec<String>>,
    #[serde(default)]
    pub is_forked: Option<bool>,
    #[serde(default)]
    pub repository: Option<Repository>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repository {
    #[serde(default)]
    pub root_ref: Option<String>,
    #[serde(default)]
    pub blobs: Option<Blobs>,
    #[serde(default)]
    pub branch_blobs: Option<Blobs>,
    #[serde(default)]
    pub tree: Option<Tree>,
    #[serde(default)]
    pub branch_tree: Option<Tree>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Blobs {
    #[serde(default)]
    pub nodes: Vec<Option<Blob>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "as the server calls it")]
pub struct Blob {
    pub path: String,
    #[serde(default)]
    pub oid: String,
    #[serde(default)]
    pub raw_text_blob: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tree {
    #[serde(default)]
    pub last_commit: Option<Commit>,
}

#[derive(Debug, Deserialize)]
pub struct Commit {
    pub sha: String,
}

impl Tree {
    /// Returns the hash of the last commit, if there is one.
    pub fn commit(tree: Option<Self>) -> Option<String> {
        tree.and_then(|tree| tree.last_commit).map(|commit| commit.sha)
    }
}

impl Blobs {
    /// Returns the blobs by path.
    pub fn by_path(blobs: Option<Self>) -> HashMap<String, Blob> {
        let nodes = blobs.map(|blobs| blobs.nodes).unwrap_or_default();
        nodes.into_iter().flatten().map(|blob| (blob.path.clone(), blob)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_asks_for_no_more_than_is_wanted() {
        let plain = Wanted { of_group: true, blobs: true, ..Wanted::default() }.query();
        assert!(plain.starts_with("query($after: String, $first: Int, $group: ID!, $paths: [String!]!) {"));
        for absent in ["isForked", "rawTextBlob", "$branch", "count", "membership"] {
            assert!(!plain.contains(absent), "{absent}: {plain}");
        }
        let all = Wanted {
            membership: true,
            forks: true,
            branch: true,
            blobs: true,
            texts: true,
            ..Wanted::default()
        };
        let query = all.query();
        for there in
            ["projects(membership: true", "isForked", "branchBlobs: blobs(paths: $paths, ref: $branch)"]
        {
            assert!(query.contains(there), "{there}: {query}");
        }
        let wanted = |revision: Option<&str>| super::super::Wanted {
            repository: "a/b".into(),
            revision: revision.map(str::to_owned),
            path: "c.yaml".into(),
        };
        let (together, variables) = files(&[wanted(None), wanted(Some("main"))]);
        assert_eq!(
            variables,
            serde_json::json!({"p0": "a/b", "n0": ["c.yaml"], "p1": "a/b", "n1": ["c.yaml"], "r1": "main"})
        );
        for query in [plain, query, together] {
            assert_eq!(query.matches('{').count(), query.matches('}').count(), "{query}");
            assert_eq!(query.matches('(').count(), query.matches(')').count(), "{query}");
        }
    }

    #[test]
    fn an_answer_with_holes_is_read() {
        let text = r#"{"data":{"group":{"projects":{"pageInfo":{"hasNextPage":false,"endCursor":null},
            "nodes":[null,{"fullPath":"a/b","repository":null}]}}}}"#;
        let reply: Reply<Projects> = serde_json::from_str(text).unwrap();
        let page = reply.data.unwrap().into_page().unwrap();
        assert_eq!(page.nodes.into_iter().flatten().count(), 1);
        let none: Reply<Projects> = serde_json::from_str(r#"{"data":{"group":null}}"#).unwrap();
        assert!(none.data.unwrap().into_page().is_none());
        let bad: Reply<Projects> = serde_json::from_str(r#"{"errors":[{"message":"no"}]}"#).unwrap();
        assert!(bad.data.is_none() && bad.errors.len() == 1);
    }
}
