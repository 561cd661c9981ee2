//! Objects of Kubernetes: which there are, and the amounts in them.

use super::findings::{Findings, Source};
use super::yaml::Node;
use crate::error::Problem;
use crate::trace::{gpu_milli, quantity};
use crate::units::Seconds;

/// An object, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Object<'s> {
    pub(super) source: &'s Source,
    pub(super) node: &'s Node,
    /// The part of `apiVersion` before the version.
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
}

/// Why an amount is left out that counts no GPUs.
pub(super) const NO_GPU: &str = "queues count GPUs alone";

/// The objects of some files, those of lists one by one.
pub(super) fn objects<'s>(sources: &'s [Source]) -> Vec<Object<'s>> {
    let mut found = Vec::new();
    for source in sources {
        for document in &source.documents {
            let inside = document.get("items").filter(|items| items.is_list());
            match inside.or(Some(document)).filter(|list| list.is_list()) {
                Some(list) => found.extend(list.items().iter().map(|node| Object::of(source, node))),
                None => found.push(Object::of(source, document)),
            }
        }
    }
    found.retain(|object| object.node.is_table());
    found
}

impl<'s> Object<'s> {
    fn of(source: &'s Source, node: &'s Node) -> Self {
        let word = |path: &[&str]| node.at(path).and_then(Node::text).unwrap_or_default();
        let version = word(&["apiVersion"]);
        Self {
            source,
            node,
            group: version.rsplit_once('/').map_or("", |(group, _)| group).to_owned(),
            kind: word(&["kind"]),
            name: word(&["metadata", "name"]),
            namespace: word(&["metadata", "namespace"]),
        }
    }
    /// Whether it is one of a kind, of a group such as `kueue.x-k8s.io`.
    pub(super) fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }
    /// `ClusterQueue team-a`.
    pub(super) fn told(&self) -> String {
        format!("{} {}", self.kind, self.name).trim().to_owned()
    }
    /// `kueue.yaml:12`.
    pub(super) fn from(&self) -> String {
        format!("{}:{}", self.source.name, self.node.line)
    }
    pub(super) fn text(&self, path: &[&str]) -> Option<String> {
        self.node.at(path).and_then(Node::text).filter(|text| !text.is_empty())
    }
    /// Its name; where it has none, that is reported.
    pub(super) fn named(&self, findings: &mut Findings) -> Option<&str> {
        if self.name.is_empty() {
            let problem = Problem::new(format!("a {} without a name", self.kind));
            findings.complain(self.source, self.node.line, problem.hint("`metadata.name` tells it"));
            return None;
        }
        Some(&self.name)
    }
    /// What stands at a path has no counterpart, if it is there.
    pub(super) fn leave_out(&self, path: &[&str], why: &str, findings: &mut Findings) {
        if let Some(node) = self.node.at(path) {
            self.leave_out_at(node, path[path.len() - 1], why, findings);
        }
    }
    pub(super) fn leave_out_at(&self, node: &Node, what: &str, why: &str, findings: &mut Findings) {
        node.settle();
        let what = format!("{} {}", self.told(), node.under(what));
        findings.leave_out(self.source, node.line, what, why);
    }
    /// All of it has no counterpart.
    pub(super) fn leave_out_whole(&self, why: &str, findings: &mut Findings) {
        self.node.settle();
        findings.leave_out(self.source, self.node.line, self.told(), why);
    }
    /// Whatever of it nobody has read by now has no counterpart; `why` tells the reasons for some keys.
    pub(super) fn finish(&self, why: &[(&str, &str)], findings: &mut Findings) {
        // What Kubernetes itself writes, and what people write for each other.
        for key in ["metadata", "status"] {
            if let Some(node) = self.node.get(key) {
                node.settle();
            }
        }
        let mut unread = Vec::new();
        self.node.unread("", &mut unread);
        for (path, node) in unread {
            let path = path.strip_prefix("spec.").unwrap_or(&path).to_owned();
            let known = why.iter().find(|(key, _)| path.starts_with(key));
            self.leave_out_at(node, &path, known.map_or("no counterpart", |(_, why)| why), findings);
        }
    }
    /// A number at least 0 in thousandths; none where there is none, or a wrong one, which is reported.
    pub(super) fn milli(&self, node: &Node, each: u32, findings: &mut Findings) -> Option<u32> {
        let amount = node.scalar().and_then(quantity).map(|amount| amount * f64::from(each));
        let amount = amount.filter(|amount| *amount <= f64::from(u32::MAX)).map(rounded);
        if amount.is_none() {
            let problem =
                Problem::new(format!("expected a quantity like `8` or `500m`, found {}", node.told()));
            findings.complain(self.source, node.line, problem.hint("at most 4294967 GPUs"));
        }
        amount
    }
    /// The GPUs of a table of resources; those of others are left out.
    pub(super) fn gpus(&self, path: &[&str], findings: &mut Findings) -> Option<u32> {
        let table = self.node.at(path)?;
        let mut sum = None;
        for (name, amount) in table.entries() {
            match gpu_milli(name) {
                Some((each, _)) => {
                    let milli = self.milli(amount, each, findings).unwrap_or(0);
                    sum = Some(milli.saturating_add(sum.unwrap_or(0)));
                }
                None => self.leave_out_at(
                    amount,
                    &format!("{} of {name}", path[path.len() - 1]),
                    NO_GPU,
                    findings,
                ),
            }
        }
        sum
    }
    /// A span of time as Go writes it, such as `168h` or `1h30m0s`; where it is none, it is left out.
    pub(super) fn span(&self, path: &[&str], findings: &mut Findings) -> Option<Seconds> {
        let node = self.node.at(path)?;
        let text = node.text().unwrap_or_default();
        let short = ["0s", "0m"].iter().fold(text.as_str(), |text, zero| match text.strip_suffix(zero) {
            Some(rest) if rest.ends_with(char::is_alphabetic) => rest,
            _ => text,
        });
        let span = short.parse::<Seconds>().ok();
        if span.is_none() {
            self.leave_out_at(node, path[path.len() - 1], "not a span of whole seconds", findings);
        }
        span
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be from 0 to the most there is"
)]
fn rounded(number: f64) -> u32 {
    number.round() as u32
}
