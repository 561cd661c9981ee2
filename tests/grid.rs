//! What the grid does to a run, and what it costs: cases worked out by hand, and recorded prices of a year.
//!
//! The recordings lie outside the repository, where the variable `GIGAWATT_SHARED` points; without it a test that needs
//! one says that it is skipped.

use gigawatt::cluster::NodePower;
use gigawatt::history::{History, Plan, SegmentEnd, WaitReason};
use gigawatt::metrics::{CostMetrics, Metrics, measure};
use gigawatt::scenario::{Overrides, Scenario};
use gigawatt::simulation::{Control, simulate};
use gigawatt::units::{Money, Watts};
use gigawatt::workload::Profile;
use std::path::{Path, PathBuf};

const HOUR: u32 = 3600;

/// A scenario of this package under a policy.
fn run(name: &str, policy: &str) -> History {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads").join(name);
    let over = Overrides {
        policy: Some(policy.to_owned()).filter(|policy| !policy.is_empty()),
        ..Overrides::default()
    };
    let plan = Scenario::load(&path, &over).unwrap_or_else(|error| panic!("{error}")).plan;
    simulate(plan, &mut Control::default())
}

fn metrics(history: &History) -> Metrics {
    measure(history).metrics
}

fn cost(history: &History) -> CostMetrics {
    metrics(history).cost.expect("something is known of the grid")
}

/// When each job ended, and how long it waited for power.
fn ends(history: &History) -> Vec<(u32, u32)> {
    let measured = measure(history);
    let power = measured.jobs.iter().map(|job| job.reasons[WaitReason::Power as usize]);
    history.jobs.iter().map(|job| job.finish_time.0).zip(power).collect()
}

#[test]
fn eight_racks_of_which_five_may_train_end_in_two_shifts() {
    // 527.6 kW above idle, and 93.24 kW a rack that trains: five; 863,424 W in the mean when all do.
    let racks = |policy: &str| {
        let history = run("dps.toml", policy);
        let mut ends: Vec<u32> = history.jobs.iter().map(|job| job.finish_time.0).collect();
        ends.sort_unstable();
        let power = metrics(&history).power.expect("power is counted");
        (ends, power.all.peak_w, power.all_over_cap_ws)
    };
    let shifts = [[6 * HOUR; 5].as_slice(), &[12 * HOUR; 3]].concat();
    let (idle, training) = (27_800, 27_800 + 18 * 4446);
    assert_eq!(racks("power=admit"), (shifts.clone(), 5 * training + 3 * idle, 0), "two shifts");
    // The utility, 750 kW, is the only cap that is broken: 113,424 W for six hours.
    let over = (8 * u128::from(training) - 750_000) * 6 * 3600;
    assert_eq!(racks("power=none"), (vec![6 * HOUR; 8], 8 * training, over), "nobody heeds it");
    // 61.4 kW are left for a sixth rack: at 65 % of the TGP, 910 W, a node draws 710 of 1,200 W, so that 18 of them
    // draw 58,590 W above idle; at 70 % they draw 64,368 W.
    let (ends, peak, over) = racks("power=cap");
    let slow = ends[5];
    // 0.8 at the curve's 0.785 by its 0.985 at 0.95: 1.0038, and 0.2 as fast as ever: 4,401 s more than six hours.
    let [at_65, at_95] = [0.73 + 0.11 * (0.65 - 0.60) / (0.71 - 0.60), 0.97 + 0.03 * 0.5];
    let expected = 6.0 * 3600.0 * (0.8 * at_95 / at_65 + 0.2);
    assert!((f64::from(slow) - expected).abs() < 2.0, "{slow} s, by hand {expected}");
    assert_eq!(
        (&ends[..5], &ends[6..], over),
        (&shifts[..5], &shifts[6..], 0),
        "a sixth one runs beside the first five"
    );
    assert!(peak < 750_000, "{peak} W are within the cap");
}

#[test]
fn a_fifth_less_from_18_to_20_makes_somebody_yield() {
    let [evening, night] = [18 * HOUR, 20 * HOUR];
    // All slow to 75 % of the TGP, 280.5 of 288.8 kW, and 5.8 kW more lift the first to 80 %: it loses 446 s, others
    // 663 s of the two hours.
    let history = run("curtailment.toml", "curtail=cap");
    let day = 24 * HOUR;
    let expected = [(day + 446, 0), (day + 663, 0), (day + 663, 0), (17 * HOUR + 3000 + 4 * HOUR + 663, 0)];
    assert_eq!(ends(&history), expected, "all are slower");
    // The job that came last stops, ten minutes of work are lost, and begins anew at 20:00.
    let history = run("curtailment.toml", "curtail=preempt");
    assert_eq!(ends(&history), [(day, 0), (day, 0), (day, 0), (night + 4 * HOUR, 2 * HOUR)], "one stops");
    let stopped = history.segments.iter().find(|segment| segment.end == SegmentEnd::Preempted);
    let stopped = stopped.map(|segment| (segment.job, segment.to.0));
    assert_eq!(stopped, Some((3, evening)), "as the grid takes the power");
    // The notice, at 17:45, keeps the last one from starting.
    let history = run("curtailment.toml", "curtail=drain");
    assert_eq!(ends(&history)[3], (night + 4 * HOUR, 2 * HOUR + 600), "it waits from 17:50 on");
    for policy in ["curtail=cap", "curtail=preempt", "curtail=drain"] {
        let power = metrics(&run("curtailment.toml", policy)).power.expect("power is counted");
        assert_eq!(power.all_over_cap_ws, 0, "{policy}: no cap is broken");
    }
    // Four racks at 107,828 W in the mean are 31,312 W above 400 kW for two hours, were it not for a policy.
    let power = metrics(&run("curtailment.toml", "power=none")).power.expect("power is counted");
    assert_eq!(power.all_over_cap_ws, 31_312 * 2 * 3600, "what nobody heeds is counted");
}

#[test]
fn jobs_that_may_wait_run_when_energy_is_cheap_or_clean_and_nobody_is_late() {
    let now = run("cheap-hours.toml", "hold=none");
    let (cheap, clean) =
        (run("cheap-hours.toml", "hold=cheapest-window"), run("cheap-hours.toml", "hold=cleanest-window"));
    let [before, cheaper, cleaner] = [&now, &cheap, &clean].map(cost);
    assert!(cheaper.energy.0 * 100 < before.energy.0 * 97, "{} instead of {}", cheaper.energy, before.energy);
    assert!(
        cleaner.carbon_g * 100 < before.carbon_g * 98,
        "{} instead of {} g",
        cleaner.carbon_g,
        before.carbon_g
    );
    assert!(now.holds.is_empty() && cheap.holds.len() > 500, "{} are held", cheap.holds.len());
    let kinds = |job: u32| gigawatt::policy::hold::greatest_delay(&cheap.plan, job);
    for hold in &cheap.holds {
        let eligible = cheap.jobs[hold.job as usize].eligible_time;
        assert!(hold.until <= eligible + kinds(hold.job), "job {} is held beyond what it allows", hold.job);
    }
    // The battery of the first site keeps the quarters of an hour below what they were.
    let site = |cost: &CostMetrics| cost.sites[0].demand_w[0];
    let mut plan = cheap.plan.clone();
    plan.cluster.grids[0].battery = None;
    let without = cost(&simulate(plan, &mut Control::default()));
    assert!(site(&cheaper) < site(&without), "{} W instead of {} W", site(&cheaper), site(&without));
    let held = cheaper.sites[0].charged_j > cheaper.sites[0].discharged_j;
    assert!(held, "a tenth and more of what it takes is lost");
}

/// The folder of recorded prices; none, said aloud, where `GIGAWATT_SHARED` is not set.
#[expect(clippy::print_stderr, reason = "a test that proves nothing says so")]
fn recordings() -> Option<PathBuf> {
    let folder = std::env::var_os("GIGAWATT_SHARED").map(|shared| PathBuf::from(shared).join("traces/grid"));
    if folder.is_none() {
        eprintln!("skipped: GIGAWATT_SHARED is not set, so there are no recorded prices");
    }
    folder
}

/// A year of jobs on 64 nodes that draw 1 kW idle and 9 kW at work, and the recorded prices of a market.
fn year(prices: &Path) -> Plan {
    let text = format!(
        "cluster = \"64x8xh100\"\nrun = {{ start = 2023-01-01, seed = 5 }}\n\
         [power]\ntariff = {{ file = \"{}\", column = \"Price (USD/MWh)\", time_column = \"Datetime (UTC)\" }}\n\
         [[workload.generate]]\nname = \"year\"\narrivals = {{ poisson = 1, per = \"1h\" }}\nstop = \"360d\"\n\
         [[workload.generate.job]]\nkind = \"pretrain\"\ngpus = 64\nwork = {{ lognormal = \"4h\", sigma = 0.8 }}\n",
        prices.display()
    );
    let mut plan =
        Scenario::from_text("year.toml", &text, &Overrides::default()).unwrap_or_else(|e| panic!("{e}")).plan;
    let gpu_tgp = Watts(1000);
    plan.cluster.kinds[0].power =
        NodePower { idle: Watts(1000), busy: Watts(9000), gpu_tgp, ..NodePower::default() };
    let full = Profile { shares: [1 << 16, 0, 0, 0, 0, 0], levels: [1 << 16; 6] };
    plan.workload.behaviours.iter_mut().for_each(|behaviour| behaviour.profile = full);
    plan
}

/// What the energy of a run of such nodes costs, hour by hour, `late` hours too late: another ten lines.
fn by_hour(history: &History, prices: &str, late: usize) -> Money {
    let price =
        |line: &str| line.rsplit(',').next().and_then(|price| price.parse::<f64>().ok()).expect("a price");
    #[expect(clippy::cast_possible_truncation, reason = "a price in millionths of a dollar")]
    let prices: Vec<i128> = prices.lines().skip(1).map(|line| (price(line) * 1e6).round() as i128).collect();
    let overlap =
        |from: u32, to: u32, hour: u32| to.min((hour + 1) * HOUR).saturating_sub(from.max(hour * HOUR));
    let mut total = 0_i128;
    for hour in 0..history.end.0.div_ceil(HOUR) {
        let mut joules = 64_000 * i128::from(overlap(0, history.end.0, hour));
        for segment in
            history.segments.iter().filter(|s| s.from.0 < (hour + 1) * HOUR && s.to.0 > hour * HOUR)
        {
            joules += 64_000 * i128::from(overlap(segment.from.0, segment.to.0, hour));
        }
        total += joules * prices[hour as usize + late];
    }
    Money(
        i64::try_from((total + 1_800_000_000).div_euclid(3_600_000_000))
            .expect("less than the world's money"),
    )
}

#[test]
fn a_year_of_recorded_prices_costs_what_ten_lines_compute() {
    let Some(folder) = recordings() else { return };
    let mut paid = Vec::new();
    for (market, below_zero) in [("US-TEX-ERCO", 0), ("US-MIDA-PJM", 2), ("US-CAL-CISO", 149), ("DE-LU", 292)]
    {
        let path = folder.join(format!("price_{market}_2023.csv.zst"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let prices = String::from_utf8(zstd::decode_all(&*bytes).expect("a whole file")).expect("text");
        let negative =
            prices.lines().filter(|line| line.rsplit(',').next().is_some_and(|price| price.starts_with('-')));
        assert_eq!(negative.count(), below_zero, "{market}: hours in which the grid pays");
        let history = simulate(year(&path), &mut Control::default());
        assert!(history.jobs.len() > 8000 && history.end.0 > 8600 * HOUR, "{market}: a year of jobs");
        let found = cost(&history);
        assert_eq!((found.energy, found.total), (by_hour(&history, &prices, 0), found.energy), "{market}");
        assert_ne!(found.energy, by_hour(&history, &prices, 1), "{market}: an hour too late is noticed");
        paid.push((found.energy, history.segments));
    }
    assert!(paid.iter().all(|(_, segments)| *segments == paid[0].1), "the schedule knows no price");
    assert!(paid.windows(2).all(|pair| pair[0].0 != pair[1].0), "each market has its own");
}

#[test]
fn an_hour_below_zero_pays_whoever_draws() {
    // One node that draws a megawatt for an hour, and nothing idle.
    let text = "cluster = \"1x8xh100\"\nrun = { start = 2023-01-01 }\npower.tariff = -20\n\
                [[workload.job]]\nid = \"one\"\nkind = \"pretrain\"\ngpus = 8\nwork = \"1h\"\n";
    let mut plan =
        Scenario::from_text("s.toml", text, &Overrides::default()).unwrap_or_else(|e| panic!("{e}")).plan;
    let (busy, gpu_tgp) = (Watts(1_000_000), Watts(125_000));
    plan.cluster.kinds[0].power = NodePower { busy, gpu_tgp, ..NodePower::default() };
    let full = Profile { shares: [1 << 16, 0, 0, 0, 0, 0], levels: [1 << 16; 6] };
    plan.workload.behaviours.iter_mut().for_each(|behaviour| behaviour.profile = full);
    let history = simulate(plan, &mut Control::default());
    let measured = measure(&history);
    assert_eq!(measured.metrics.cost.expect("a tariff").total, Money(-20_000_000), "one MWh at -20 $");
    assert_eq!(measured.costs.expect("a tariff").cost, [Money(-20_000_000)], "all of it is the job's");
}

#[test]
fn who_goes_where_energy_is_cheapest_changes_sites_with_the_hour() {
    let text = "run.start = 2023-01-01\n\
        cluster.site = [{ name = \"south\" }, { name = \"north\" }]\n\
        cluster.rack = [{ name = \"s\", platform = \"h100\", feed = \"south\" }, { name = \"n\", platform = \"h100\", feed = \"north\" }]\n\
        [power.site.south]\ntariff = { base = 20, rule = [{ price = 80, hours = \"12-24\" }] }\n\
        [power.site.north]\ntariff = 50\n\
        [[workload.graph]]\nname = \"hourly\"\nsubmit = { first = \"30m\", every = \"1h\", count = 24 }\n\
        [[workload.graph.job]]\nid = \"job\"\nkind = \"batch-inference\"\ngpus = 8\nwork = \"20m\"\n";
    let sites = |placement: &str| {
        let over = Overrides { policy: Some(format!("placement={placement}")), ..Overrides::default() };
        let plan = Scenario::from_text("s.toml", text, &over).unwrap_or_else(|error| panic!("{error}")).plan;
        let history = simulate(plan, &mut Control::default());
        let node = |segment| {
            history.pieces_of(segment).iter().flat_map(|piece| piece.nodes()).next().expect("a node")
        };
        let south = history.segments.iter().map(|segment| history.plan.cluster.rack_of(node(segment)) == 0);
        (south.collect::<Vec<bool>>(), cost(&history).energy)
    };
    let (cheapest, paid) = sites("cheapest-energy");
    let expected: Vec<bool> = (0..24).map(|hour| hour < 12).collect();
    assert_eq!(cheapest, expected, "in the south until noon, then in the north");
    let (packed, paid_more) = sites("best-fit");
    assert_eq!(packed, [true; 24], "a policy that does not look at prices stays where it is");
    assert!(paid < paid_more, "{paid} instead of {paid_more}");
    let [first, cheapest] = ["placement=best-fit", "placement=cheapest-energy"]
        .map(|policy| cost(&run("cheap-hours.toml", &format!("hold=none/{policy}"))).energy);
    assert!(cheapest < first, "{cheapest} instead of {first} where most jobs have no choice");
}
