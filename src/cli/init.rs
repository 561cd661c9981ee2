//! `gigawatt init`: a scenario to begin with, from four answers.

use super::Exit;
use super::arguments::Init;
use super::list::unknown;
use super::terminal::Terminal;
use crate::error::{Error, Place, Problem, Result};
use crate::hardware::{Catalogue, Family, Platform};
use crate::report::write_file;
use crate::scenario::{Overrides, SCHEMAS, Scenario};
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

/// The answers.
#[derive(Debug)]
struct Answers {
    platform: String,
    racks: u32,
    workload: Option<String>,
    policy: String,
}

/// The schema beside the scenario.
const SCHEMA_FILE: &str = "gigawatt.schema.json";

/// Asks what is not said, and writes the scenario.
pub(super) fn run(arguments: &Init, terminal: Terminal) -> Result<Exit> {
    let file = &arguments.file;
    if file.exists() && !arguments.force {
        let problem = Problem::new("the file is there already").at(Place::file(file.display().to_string()));
        return Err(problem.hint("`--force` replaces it; another name keeps it").into());
    }
    let answers = answers(arguments)?;
    let catalogue = Catalogue::embedded();
    let Some(platform) = catalogue.get(&answers.platform) else {
        return Err(unknown("platform", &answers.platform, catalogue.names()).into());
    };
    let text = scenario(&answers, platform, arguments.schema.then_some(SCHEMA_FILE));
    // What is written can be run: a policy or a trace that cannot is told now.
    Scenario::from_text(&file.display().to_string(), &text, &Overrides::default())?;
    write_file(file, |out| out.write_all(text.as_bytes()))?;
    if arguments.schema {
        let schema = format!("{:#}\n", SCHEMAS[0].json());
        write_file(&file.with_file_name(SCHEMA_FILE), |out| out.write_all(schema.as_bytes()))?;
    }
    terminal.print_text(&format!(
        "{}: `gigawatt check {0}` looks at it, `gigawatt simulate {0}` runs it\n",
        file.display()
    ))?;
    Ok(Exit::Done)
}

/// What the options say, else what somebody at the terminal says, else what is usual.
fn answers(arguments: &Init) -> Result<Answers> {
    let is_there = io::stdin().is_terminal() && io::stderr().is_terminal();
    let ask = |given: Option<String>, question: &str, usual: &str| -> Result<String> {
        match given {
            Some(given) => Ok(given),
            None if is_there => asked(question, usual),
            None => Ok(usual.to_owned()),
        }
    };
    let platform = ask(arguments.platform.clone(), "Which GPUs? (`gigawatt list platforms`)", "gb300")?;
    let racks = ask(arguments.racks.map(|racks| racks.to_string()), "How many racks of them?", "4")?;
    let racks = racks.parse::<u32>().ok().filter(|racks| (1..=10_000).contains(racks)).ok_or_else(|| {
        Problem::new(format!("expected a number of racks from 1 to 10000, found `{racks}`"))
    })?;
    let question = "Which jobs? The path of a trace, or nothing: some are generated";
    let workload = Some(ask(arguments.workload.clone(), question, "")?).filter(|path| !path.is_empty());
    let workload = workload.map(|path| from(&arguments.file, path));
    let policy = ask(arguments.policy.clone(), "Which jobs go first? (`gigawatt list policies`)", "easy")?;
    Ok(Answers { platform, racks, workload, policy })
}

/// A path of the command line as a scenario in that file has it: paths of a scenario count from its own folder.
fn from(file: &Path, path: String) -> String {
    let is_here = file.parent().is_none_or(|folder| folder.as_os_str().is_empty());
    if is_here {
        return path;
    }
    std::path::absolute(&path).map_or(path, |absolute| absolute.display().to_string())
}

/// What somebody answers, or what is usual if that is nothing.
fn asked(question: &str, usual: &str) -> Result<String> {
    let talk = |source| Error::io("read", Path::new("stdin"), source);
    let shown = if usual.is_empty() { String::new() } else { format!(" [{usual}]") };
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question}{shown} ").and_then(|()| stderr.flush()).map_err(talk)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(talk)?;
    let answer = line.trim();
    Ok(if answer.is_empty() { usual } else { answer }.to_owned())
}

/// A text between quotes, as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// How much of the GPUs' time generated jobs ask for.
const LOAD: f64 = 0.9;

fn scenario(answers: &Answers, platform: &Platform, schema: Option<&str>) -> String {
    let directive = schema.map(|file| format!("#:schema ./{file}\n")).unwrap_or_default();
    let policy = quoted(&answers.policy);
    // A preset stands under its own key, parts are named one by one.
    let parts: Vec<&str> = answers.policy.split('/').collect();
    let policy = match &parts[..] {
        [_] => format!("preset = {policy}"),
        parts => {
            let keys = ["order", "backfill", "placement"];
            let line = |(key, part): (&&str, &&str)| format!("{key} = {}", quoted(part));
            keys.iter().zip(parts).map(line).collect::<Vec<_>>().join("\n")
        }
    };
    let rack = format!("platform = {}, count = {}", quoted(&answers.platform), answers.racks);
    let jobs =
        answers.workload.as_ref().map_or_else(|| generated(answers.racks, platform), |path| traced(path));
    format!(
        "{directive}# Begun by `gigawatt init`. Every key is optional unless it says `must`; a time is `90s`, `45m`, `6h`,\n\
         # `2d` or a number of seconds. `gigawatt check FILE` says everything that is wrong at once.\n\
         version = 1\n\
         \n\
         [run]\n\
         seed = 1                        # of every random number; any key can be changed with --set run.seed=7\n\
         # until = \"7d\"                  # cut the run off; without it, it lasts until no job is left\n\
         # warm_up = \"1d\"                # metrics leave out jobs submitted before\n\
         \n\
         [policy]                        # `gigawatt list policies` names them, and their options\n\
         {policy}\n\
         # power = \"cap\"                 # what is done about caps: admit (jobs wait), or cap (jobs run slower)\n\
         \n\
         [cluster]                       # must; `gigawatt list platforms` tells what a rack is\n\
         feed = [{{ name = \"hall\" }}]    # a cap beside the name, such as cap = \"2 MW\", bounds what is drawn\n\
         rack = [{{ {rack}, feed = \"hall\" }}]\n\
         \n\
         # [power]                       # what energy costs, and how clean it is\n\
         # tariff = \"42.5 $/MWh\"\n\
         # carbon = \"369 g/kWh\"\n\
         \n\
         {jobs}"
    )
}

fn traced(path: &str) -> String {
    format!(
        "[workload]                      # must; `gigawatt inspect FILE` shows what a trace asks for\n\
         trace = {}\n\
         # from = \"36h\"                  # only jobs submitted from here on; before: until\n\
         # scale_load = 1.2              # jobs come faster\n\
         # map = {{ gpus = \"num_gpu\" }}    # which column of a table tells what\n",
        quoted(path)
    )
}

/// Jobs that ask for most of what the racks have: small ones, and gangs of a quarter of them.
fn generated(racks: u32, platform: &Platform) -> String {
    let gpus = racks * platform.nodes_per_rack() * platform.gpus_per_node();
    let gang = (gpus / 4).clamp(1, 1024);
    let speed = platform.speed(Family::DenseTraining).as_f64();
    // Eight jobs of one GPU for half an hour to one gang for three hours.
    let hours = (8.0 * 0.5 + f64::from(gang) * 3.0) / 9.0 / speed;
    let rate = (LOAD * f64::from(gpus) / hours).max(1.0).round();
    format!(
        "[[tenant]]                      # with any, jobs may name no other\n\
         name = \"lab\"\n\
         # quota = {gang}                   # GPUs it may hold at once\n\
         \n\
         [[workload.generate]]           # must: these, or `trace = \"FILE\"`, or jobs by hand: [[workload.job]]\n\
         name = \"stream\"                 # its jobs are stream-1, stream-2, ...\n\
         tenant = \"lab\"\n\
         count = 1000\n\
         arrivals = {{ poisson = {rate}, per = \"1h\" }}    # about nine tenths of what {gpus} GPUs can do\n\
         \n\
         [[workload.generate.job]]\n\
         weight = 8                      # eight of these ...\n\
         kind = \"eval\"                   # pretrain, finetune, rl, eval, batch-inference, inference-service, data, other\n\
         gpus = 1\n\
         work = {{ lognormal = \"30m\", sigma = 1.0 }}      # the mean on an H100, and its spread\n\
         requested = {{ times = [1.0, 3.0] }}             # what users say it takes: one to three times that\n\
         \n\
         [[workload.generate.job]]\n\
         weight = 1                      # ... to one of these\n\
         kind = \"finetune\"\n\
         gpus = {gang}\n\
         work = {{ lognormal = \"3h\", sigma = 0.6 }}\n\
         requested = {{ times = [1.0, 2.0] }}\n\
         checkpoint = \"30m\"              # a stop loses what was done since the last one\n"
    )
}
