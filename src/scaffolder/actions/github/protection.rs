//! Protection of a branch of GitHub.

use super::super::forge::{Client, Field, Kind, RepoUrl, effect, field, segment};
use super::repository::path;
use crate::scaffolder::action::{ActionError, SideEffect, Workbench};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::time::Duration;

/// Pause before a branch that was just pushed is looked for again; the original's.
const PAUSE: Duration = Duration::from_millis(600);

const WHO: &[Field] = &[
    field("users", Kind::Texts, "Users"),
    field("teams", Kind::Texts, "Teams"),
    field("apps", Kind::Texts, "Apps"),
];

/// Inputs about the protection.
pub const FIELDS: &[Field] = &[
    field("requireCodeOwnerReviews", Kind::Flag, "A code owner must approve").or("false"),
    field("dismissStaleReviews", Kind::Flag, "New commits take approvals back").or("false"),
    field("requiredStatusCheckContexts", Kind::Texts, "Checks that must pass").or("[]"),
    field("requireBranchesToBeUpToDate", Kind::Flag, "Branches must be up to date").or("true"),
    field("requiredConversationResolution", Kind::Flag, "All conversations must be resolved").or("false"),
    field("requireLastPushApproval", Kind::Flag, "Somebody else must approve the last push").or("false"),
    field("requiredApprovingReviewCount", Kind::Number, "Approvals that are needed, 0 to 6").or("1"),
    field("restrictions", Kind::Object(WHO), "Who may push; organisations only"),
    field("bypassPullRequestAllowances", Kind::Object(WHO), "Who needs no pull request"),
    field("requiredCommitSigning", Kind::Flag, "Commits must be signed").or("false"),
    field("requiredLinearHistory", Kind::Flag, "No merge commits").or("false"),
];

/// What the protection asks for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Protection {
    require_code_owner_reviews: Option<bool>,
    dismiss_stale_reviews: Option<bool>,
    required_status_check_contexts: Option<Vec<String>>,
    require_branches_to_be_up_to_date: Option<bool>,
    required_conversation_resolution: Option<bool>,
    require_last_push_approval: Option<bool>,
    required_approving_review_count: Option<f64>,
    restrictions: Option<Json>,
    bypass_pull_request_allowances: Option<Json>,
    required_commit_signing: Option<bool>,
    required_linear_history: Option<bool>,
    protect_enforce_admins: Option<bool>,
    enforce_admins: Option<bool>,
    block_creations: Option<bool>,
}

impl Protection {
    fn reviews(&self) -> i64 {
        self.required_approving_review_count.unwrap_or(1.0) as i64
    }

    /// Returns what it would change.
    pub fn effect(&self, repo: &RepoUrl, branch: &str, identity: &str) -> SideEffect {
        let details = vec![format!("branch: {branch}"), format!("approvals: {}", self.reviews())];
        effect("protect branch", repo.shown(), identity.to_owned(), details)
    }

    fn body(&self) -> Json {
        let mut reviews = json!({
            "required_approving_review_count": self.reviews(),
            "require_code_owner_reviews": self.require_code_owner_reviews.unwrap_or(false),
            "dismiss_stale_reviews": self.dismiss_stale_reviews.unwrap_or(false),
            "require_last_push_approval": self.require_last_push_approval.unwrap_or(false),
        });
        if let Some(allowances) = &self.bypass_pull_request_allowances {
            reviews["bypass_pull_request_allowances"] = allowances.clone();
        }
        json!({
            "required_status_checks": {
                "strict": self.require_branches_to_be_up_to_date.unwrap_or(true),
                "contexts": self.required_status_check_contexts.clone().unwrap_or_default(),
            },
            "restrictions": self.restrictions,
            "enforce_admins": self.protect_enforce_admins.or(self.enforce_admins).unwrap_or(true),
            "required_pull_request_reviews": reviews,
            "required_conversation_resolution": self.required_conversation_resolution.unwrap_or(false),
            "required_linear_history": self.required_linear_history.unwrap_or(false),
            "block_creations": self.block_creations.unwrap_or(false),
        })
    }

    /// Protects a branch. A plan that does not offer it is told in the log.
    ///
    /// # Errors
    /// What GitHub refuses.
    pub fn apply(
        &self,
        bench: &mut dyn Workbench,
        repo: &RepoUrl,
        client: &Client,
        branch: &str,
    ) -> Result<(), ActionError> {
        let at = format!("{}/branches/{}/protection", path(repo)?, segment(branch));
        let doing = format!("protect branch `{branch}` of {}", repo.shown());
        let mut answer = client.put(bench, &at, &self.body());
        if answer.as_ref().is_err_and(|refusal| refusal.says("Branch not found")) {
            // what was just pushed takes a moment to be seen
            std::thread::sleep(PAUSE);
            answer = client.put(bench, &at, &self.body());
        }
        match answer {
            Err(refusal) if refusal.says("Upgrade to GitHub Pro or make this repository public") => {
                bench.warn(
                    "Branch protection was not enabled as it requires GitHub Pro for private repositories",
                );
                return Ok(());
            }
            Err(refusal) => return Err(refusal.while_doing(&doing)),
            Ok(_) => bench.log(&format!("protected branch {branch}")),
        }
        if self.required_commit_signing == Some(true) {
            client
                .post(bench, &format!("{at}/required_signatures"), &json!({}))
                .map_err(|refusal| refusal.while_doing(&doing))?;
        }
        Ok(())
    }
}
