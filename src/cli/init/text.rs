use super::Answers;
use crate::error::Result;
use crate::hardware::{Family, Platform};
use crate::policy::part::Kind;
use crate::scenario::policy_keys;
use crate::scenario::text::{HEAD, RUN, Stream, quoted, traced};

/// The scenario as its file has it.
///
/// # Errors
/// The policy has more parts than there are.
pub(super) fn scenario(answers: &Answers, schema: Option<&str>) -> Result<String> {
    let Answers { platform, racks, workload, policy } = answers;
    let directive = schema.map(|file| format!("#:schema ./{file}\n")).unwrap_or_default();
    let keys = policy_keys(policy).map_err(|problem| *problem)?;
    let needs = |kind: Kind| keys.iter().any(|(key, _)| key == kind.name());
    let lines: String = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    let power = if needs(Kind::Power) {
        ""
    } else {
        "# power = \"cap\"                 # what is done about caps: admit (jobs wait), or cap (jobs run slower)\n"
    };
    let feed = hall(platform, *racks, needs(Kind::Power) || needs(Kind::Curtail));
    let grid = grid(needs(Kind::Hold), needs(Kind::Curtail));
    // Prices by the hour of the day need a date, which a trace may tell.
    let start = if needs(Kind::Hold) && workload.is_none() { "start = 2026-01-01\n" } else { "" };
    let name = quoted(&platform.name);
    let jobs = workload.as_ref().map_or_else(|| generated(*racks, platform), |path| traced(path));
    Ok(format!(
        "{directive}# Begun by `gigawatt init`. {HEAD}\
         \n\
         [run]\n\
         {start}{RUN}\
         \n\
         [policy]                        # `gigawatt list policies` names them, and their options\n\
         {lines}{power}\
         \n\
         [cluster]                       # must; `gigawatt list platforms` tells what a rack is\n\
         {feed}\
         rack = [{{ platform = {name}, count = {racks}, feed = \"hall\" }}]\n\
         \n\
         {grid}\
         \n\
         {jobs}"
    ))
}

/// The feed, with a cap where the policy is about one: four fifths of what its racks draw at most.
fn hall(platform: &Platform, racks: u32, is_capped: bool) -> String {
    let rack = platform.rack_overhead().0 + u64::from(platform.nodes_per_rack()) * platform.node_busy().0;
    let most = u64::from(racks) * rack;
    // Nobody counts what a platform without a draw takes.
    if !is_capped || most == 0 {
        return "feed = [{ name = \"hall\" }]    # a cap beside the name, such as cap = \"2 MW\", bounds what is drawn\n"
            .to_owned();
    }
    format!(
        "# Of what its racks draw at most, {most} W, the hall gives four fifths.\n\
         feed = [{{ name = \"hall\", cap = \"{} W\" }}]\n",
        most * 4 / 5
    )
}

/// What energy costs and when there is less of it: as a proposal, or for good where the policy asks for it.
fn grid(is_priced: bool, is_curtailed: bool) -> String {
    const BEGIN: &str = "[power]                         # what energy costs, and how clean it is\n";
    const PRICES: &str = "tariff = { base = 31, rule = [{ price = 58, hours = \"17-21\" }] }              # $/MWh\n\
                          carbon = { base = 369, rule = [{ intensity = 250, hours = \"10-16\" }] }         # g/kWh\n";
    const CURTAILMENT: &str = "\n\
                               [[power.curtailment]]           # the grid takes power away, and says so before\n\
                               feed = \"hall\"\n\
                               to = \"80 %\"\n\
                               from = \"18h\"\n\
                               until = \"20h\"\n\
                               notice = \"15m\"\n\
                               every = \"1d\"\n";
    match (is_priced, is_curtailed) {
        (false, false) => format!("# {BEGIN}# tariff = \"42.5 $/MWh\"\n# carbon = \"369 g/kWh\"\n"),
        (false, true) => CURTAILMENT.trim_start().to_owned(),
        (true, false) => format!("{BEGIN}{PRICES}"),
        (true, true) => format!("{BEGIN}{PRICES}{CURTAILMENT}"),
    }
}

/// Jobs that ask for most of what the racks have: small ones, and gangs of a quarter of them.
fn generated(racks: u32, platform: &Platform) -> String {
    let gpus = racks * platform.nodes_per_rack() * platform.gpus_per_node();
    let gang = (gpus / 4).clamp(1, 1024);
    let stream = Stream {
        name: "stream",
        tenant: "lab",
        partition: None,
        count: 1000,
        gpus,
        gang,
        speed: platform.speed(Family::DenseTraining).as_f64(),
        is_told: true,
    };
    format!(
        "[[tenant]]                      # with any, jobs may name no other\n\
         name = \"lab\"\n\
         # quota = {gang}                   # GPUs it may hold at once\n\
         \n\
         {}",
        stream.text()
    )
}
