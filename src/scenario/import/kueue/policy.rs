use super::super::draft::Key;
use super::super::findings::Findings;
use super::super::objects::Object;
use super::super::yaml::Node;
use crate::policy::part;

/// What a ClusterQueue says of who goes next and who yields.
pub(super) struct Member<'s> {
    pub(super) object: Object<'s>,
    in_cohort: bool,
    is_strict: bool,
    reclaims: bool,
    stops_own: bool,
    /// Whether its tenants go by what they used.
    is_by_use: bool,
}

impl<'s> Member<'s> {
    pub(super) fn of(object: &Object<'s>, in_cohort: bool) -> Self {
        let word = |path: &[&str]| object.text(path).unwrap_or_default();
        let stops = |key: &str| !["", "Never"].contains(&word(&["spec", "preemption", key]).as_str());
        Self {
            object: object.clone(),
            in_cohort,
            is_strict: word(&["spec", "queueingStrategy"]) == "StrictFIFO",
            reclaims: stops("reclaimWithinCohort"),
            stops_own: stops("withinClusterQueue"),
            is_by_use: word(&["spec", "admissionScope", "admissionMode"]) == "UsageBasedAdmissionFairSharing",
        }
    }
}

/// The policy of a scenario.
pub(super) struct Policy {
    stops_jobs: bool,
    /// Whether they stop by the shares of queues, as the Configuration says.
    is_fair: bool,
    /// Whether tenants go by what they used.
    pub(super) is_by_use: bool,
    pub(super) keys: Vec<Key>,
}

impl Policy {
    pub(super) fn of(members: &[Member<'_>], config: Option<&Object<'_>>, findings: &mut Findings) -> Self {
        let stops_jobs = members.iter().any(|member| member.reclaims || member.stops_own);
        let is_by_use = members.iter().any(|member| member.is_by_use);
        let is_off =
            |config: &&Object<'_>| config.text(&["fairSharing", "enable"]).as_deref() == Some("false");
        let is_fair = config.filter(|config| !is_off(config));
        let is_fair = is_fair.is_some_and(|config| config.node.at(&["fairSharing"]).is_some());
        let mut policy =
            Self { stops_jobs, is_fair, is_by_use, keys: vec![Key::text("preset", "kueue", "")] };
        if is_by_use {
            policy.by_use(members, config, findings);
        }
        policy.strictness(members, findings);
        if stops_jobs && policy.is_fair {
            policy.rules(config);
            differ(members, findings);
            return policy;
        }
        if stops_jobs {
            policy.classical(members, findings);
        } else {
            policy.keys.push(Key::text("preemption", "none", "no ClusterQueue stops jobs for others"));
        }
        if !is_by_use {
            // Priorities decide even where nobody stops.
            policy.keys.push(Key::text("order", "priority", ""));
            policy.keys.push(Key::text(
                "priority_step",
                PRIORITY_STEP,
                "no waiting makes up for a lower priority",
            ));
        }
        policy
    }
    /// Whether weights of queues decide anything.
    pub(super) const fn reads_weights(&self) -> bool {
        self.stops_jobs && self.is_fair || self.is_by_use
    }

    /// Admission fair sharing: who used least lately goes first.
    fn by_use(&mut self, members: &[Member<'_>], config: Option<&Object<'_>>, findings: &mut Findings) {
        self.keys.push(Key::text("order", "fair-tree", "UsageBasedAdmissionFairSharing"));
        let half_life =
            config.and_then(|config| config.span(&["admissionFairSharing", "usageHalfLifeTime"], findings));
        if let Some(span) = half_life.filter(|span| span.0 > 0) {
            self.keys.push(Key::text("half_life", &part::span(span.0), "usageHalfLifeTime"));
        }
        findings.assume("queues go by what they used as well as the tenants in them");
        for member in members.iter().filter(|member| !member.is_by_use) {
            findings.assume(format!(
                "tenants of {} go by what they used, as those of others do",
                member.object.told()
            ));
        }
    }

    fn strictness(&mut self, members: &[Member<'_>], findings: &mut Findings) {
        let strict = members.iter().filter(|member| member.is_strict);
        if !members.is_empty() && members.iter().all(|member| member.is_strict) {
            self.keys.push(Key::text("backfill", "none", "StrictFIFO"));
            return;
        }
        for member in strict {
            let why = "here jobs that fit pass those that do not, in every queue alike";
            member.object.leave_out(&["spec", "queueingStrategy"], why, findings);
        }
    }

    /// By which shares queues take back what others borrow.
    fn rules(&mut self, config: Option<&Object<'_>>) {
        if let Some(config) = config {
            // That it is on is why this is read.
            config.text(&["fairSharing", "enable"]);
        }
        let strategies = config.and_then(|config| config.node.at(&["fairSharing", "preemptionStrategies"]));
        let told: Vec<String> =
            strategies.map_or(&[][..], Node::items).iter().filter_map(Node::text).collect();
        let known = |name: &&str| told.iter().any(|told| told == name);
        let rules = [("LessThanOrEqualToFinalShare", "final"), ("LessThanInitialShare", "initial")];
        let rules: Vec<&str> = rules.iter().filter(|(name, _)| known(name)).map(|(_, rule)| *rule).collect();
        if rules.len() == 1 {
            self.keys.push(Key::text("reclaim_rules", rules[0], "preemptionStrategies"));
        }
    }
}

/// A key, what a scenario calls it, and values of both.
type Rule = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Keys of Kueue's preemption, what a scenario calls them, and what stands there: by a queue, and by that.
const RULES: [Rule; 2] = [
    (
        "withinClusterQueue",
        "within_queue",
        &[("Never", "never"), ("LowerPriority", "lower"), ("LowerOrNewerEqualPriority", "lower-or-newer")],
    ),
    (
        "reclaimWithinCohort",
        "reclaim_from",
        &[("Never", "never"), ("LowerPriority", "lower"), ("Any", "any")],
    ),
];

impl Policy {
    /// By which rules jobs stop without fair sharing: those of most queues, for all.
    fn classical(&mut self, members: &[Member<'_>], findings: &mut Findings) {
        let told = |member: &Member<'_>, key: &str| {
            member.object.text(&["spec", "preemption", key]).unwrap_or_else(|| "Never".to_owned())
        };
        let mut rules = Vec::new();
        for (key, own, known) in RULES {
            let counts = |member: &&Member<'_>| member.in_cohort || key == "withinClusterQueue";
            let all: Vec<String> = members.iter().filter(counts).map(|member| told(member, key)).collect();
            let count = |(name, _): &&(&str, &str)| all.iter().filter(|told| told == name).count();
            let Some((name, rule)) = known.iter().rev().max_by_key(count) else { continue };
            rules.push((own, *rule, key));
            for member in members.iter().filter(counts).filter(|member| told(member, key) != *name) {
                let why = format!("here it is `{rule}` for all queues");
                missing(&member.object, key, &told(member, key), &why, findings);
            }
        }
        if rules.iter().all(|(_, rule, _)| *rule == "never") {
            self.keys.push(Key::text("preemption", "none", "most ClusterQueues stop no jobs for others"));
            for member in members.iter().filter(|member| borrow_from(member) != "never") {
                let why = "here no job stops for others";
                member.object.leave_out(&["spec", "preemption", "borrowWithinCohort"], why, findings);
            }
            return;
        }
        self.keys.push(Key::text("preemption", "classical", "no Configuration turns on fair sharing"));
        self.keys.extend(rules.into_iter().map(|(own, rule, key)| Key::text(own, rule, key)));
        let borrows: Vec<(String, &Member<'_>)> = members
            .iter()
            .filter(|member| member.in_cohort)
            .map(|member| (borrow_from(member), member))
            .collect();
        let count = |rule: &&String| borrows.iter().filter(|(own, _)| own == *rule).count();
        let Some(most) = borrows.iter().map(|(rule, _)| rule).rev().max_by_key(count) else { return };
        self.keys.push(Key::text("borrow_from", most, "borrowWithinCohort"));
        for (_, member) in borrows.iter().filter(|(rule, _)| rule != most) {
            let why = format!("here it is `{most}` for all queues");
            member.object.leave_out(&["spec", "preemption", "borrowWithinCohort"], &why, findings);
        }
    }
}

/// Which jobs of others stop where a queue borrows.
fn borrow_from(member: &Member<'_>) -> String {
    let told = |key: &str| member.object.text(&["spec", "preemption", "borrowWithinCohort", key]);
    match (told("policy").as_deref(), told("maxPriorityThreshold")) {
        (None | Some("Never"), _) => "never".to_owned(),
        (_, None) => "lower".to_owned(),
        (_, Some(most)) => most,
    }
}

/// As much waiting as makes up for one step of priority: more than any run takes.
pub(in crate::scenario::import) const PRIORITY_STEP: &str = "1000d";

/// Says where a queue means otherwise than all together do.
fn differ(members: &[Member<'_>], findings: &mut Findings) {
    for member in members {
        let object = &member.object;
        let told = |key: &str| object.text(&["spec", "preemption", key]);
        let reclaim = told("reclaimWithinCohort").unwrap_or_else(|| "Never".to_owned());
        if member.in_cohort && reclaim != "Any" {
            let why = "here queues take back from any priority what others borrow";
            missing(object, "reclaimWithinCohort", &reclaim, why, findings);
        }
        let within = told("withinClusterQueue").unwrap_or_else(|| "Never".to_owned());
        if within != "LowerPriority" {
            let why = "here jobs of lower priority stop for higher ones in a queue";
            missing(object, "withinClusterQueue", &within, why, findings);
        }
        let why = "here no queue stops others' jobs in order to borrow";
        object.leave_out(&["spec", "preemption", "borrowWithinCohort"], why, findings);
    }
}

/// Leaves out what a key says, or the default that is not said.
fn missing(object: &Object<'_>, key: &str, value: &str, why: &str, findings: &mut Findings) {
    match object.node.at(&["spec", "preemption", key]) {
        Some(node) => object.leave_out_at(node, key, why, findings),
        None => findings.leave_out(
            object.source,
            object.node.line,
            format!("{} {key}: {value}, since it is not said", object.told()),
            why,
        ),
    }
}
