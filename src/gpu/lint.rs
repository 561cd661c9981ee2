//! What every shader of this crate keeps to, checked on naga's reading of it without any device.

use naga::proc::Layouter;
use naga::valid::{Capabilities, FunctionInfo, ModuleInfo, ValidationFlags, Validator};
use naga::{
    AddressSpace, BinaryOperator, Block, Expression, Function, Handle, Literal, MathFunction, Module,
    ScalarKind, Statement, TypeInner,
};
use std::path::Path;

/// Iterations after which Mesa's software driver leaves the loops of an invocation, whatever they are at.
const LOOP_BUDGET: u64 = 65_535;
/// Bytes that the threads of a workgroup share on every device.
const SHARED_BUDGET: u32 = 16_384;

/// A shader that naga understands and finds valid.
#[derive(Debug)]
pub(crate) struct Shader {
    module: Module,
    info: ModuleInfo,
}

/// A loop and the loops inside it, those of called functions included.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Loop(pub(crate) Vec<Self>);

impl Shader {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let module = naga::front::wgsl::parse_str(text).map_err(|error| error.emit_to_string(text))?;
        let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
        let info = validator.validate(&module).map_err(|error| error.emit_to_string(text))?;
        Ok(Self { module, info })
    }

    /// Everything that breaks a rule: floats, unguarded shifts and divisions, too much shared memory.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.module.types.iter().any(|(_, ty)| is_float(&ty.inner)) {
            faults.push("a float".to_owned());
        }
        for (function, info) in self.functions() {
            let name = function.name.as_deref().unwrap_or("an entry point");
            let float = |handle: Handle<Expression>| is_float(info[handle].ty.inner_with(&self.module.types));
            if function.expressions.iter().any(|(handle, _)| float(handle)) {
                faults.push(format!("a float in {name}"));
            }
            faults.extend(arithmetic(&self.module, function).map(|fault| format!("{fault} in {name}")));
        }
        for entry in &self.module.entry_points {
            let shared = self.shared(&entry.name);
            if shared > SHARED_BUDGET {
                faults.push(format!("{shared} bytes shared in {}", entry.name));
            }
        }
        faults
    }

    fn functions(&self) -> impl Iterator<Item = (&Function, &FunctionInfo)> {
        let entries = self.module.entry_points.iter().enumerate();
        let entries = entries.map(|(index, entry)| (&entry.function, self.info.get_entry_point(index)));
        self.module.functions.iter().map(|(handle, function)| (function, &self.info[handle])).chain(entries)
    }

    fn position(&self, entry: &str) -> usize {
        let found = self.module.entry_points.iter().position(|other| other.name == entry);
        found.unwrap_or_else(|| panic!("no entry point `{entry}`"))
    }

    fn layouts(&self) -> Layouter {
        let mut layouts = Layouter::default();
        layouts.update(self.module.to_ctx()).expect("a valid module has a layout");
        layouts
    }

    /// Bytes that an entry point shares in a workgroup.
    pub(crate) fn shared(&self, entry: &str) -> u32 {
        let uses = self.info.get_entry_point(self.position(entry));
        let layouts = self.layouts();
        let shared = self.module.global_variables.iter().filter(|(handle, variable)| {
            variable.space == AddressSpace::WorkGroup && !uses[*handle].is_empty()
        });
        shared.map(|(_, variable)| layouts[variable.ty].to_stride()).sum()
    }

    /// The loops of an entry point.
    pub(crate) fn loops(&self, entry: &str) -> Vec<Loop> {
        let mut found = Vec::new();
        self.collect(&self.module.entry_points[self.position(entry)].function.body, &mut found);
        found
    }

    fn collect(&self, block: &Block, found: &mut Vec<Loop>) {
        for statement in block {
            match statement {
                Statement::Block(inner) => self.collect(inner, found),
                Statement::If { accept, reject, .. } => {
                    self.collect(accept, found);
                    self.collect(reject, found);
                }
                Statement::Switch { cases, .. } => {
                    for case in cases {
                        self.collect(&case.body, found);
                    }
                }
                Statement::Loop { body, continuing, .. } => {
                    let mut inside = Vec::new();
                    self.collect(body, &mut inside);
                    self.collect(continuing, &mut inside);
                    found.push(Loop(inside));
                }
                Statement::Call { function, .. } => {
                    let called = &self.module.functions[*function];
                    self.collect(&called.body, found);
                }
                _ => {}
            }
        }
    }

    /// Most loop iterations of one invocation, given the most trips of each loop in the order of the text.
    pub(crate) fn iterations(&self, entry: &str, trips: &[u64]) -> u64 {
        let mut trips = trips.iter().copied();
        let total = iterations(&self.loops(entry), &mut trips);
        assert_eq!(trips.next(), None, "{entry} has fewer loops");
        total
    }

    /// Value of a constant.
    pub(crate) fn constant(&self, name: &str) -> u32 {
        let mut constants = self.module.constants.iter().map(|(_, constant)| constant);
        let constant = constants.find(|constant| constant.name.as_deref() == Some(name));
        let constant = constant.unwrap_or_else(|| panic!("no constant `{name}`"));
        match self.module.global_expressions[constant.init] {
            Expression::Literal(Literal::U32(value)) => value,
            ref other => panic!("`{name}` is {other:?}"),
        }
    }

    /// The fields of a structure with their offsets, and its size: what a Rust one must have.
    pub(crate) fn layout(&self, name: &str) -> (Vec<(String, usize)>, usize) {
        let mut types = self.module.types.iter();
        let found = types.find(|(_, ty)| ty.name.as_deref() == Some(name));
        let (handle, ty) = found.unwrap_or_else(|| panic!("no structure `{name}`"));
        let TypeInner::Struct { members, .. } = &ty.inner else { panic!("`{name}` is no structure") };
        let fields = members.iter().map(|member| {
            let name = member.name.clone().expect("members have names");
            (name, member.offset as usize)
        });
        (fields.collect(), self.layouts()[handle].to_stride() as usize)
    }

    /// What is wrong with loops of which each makes at most so many trips: products and quotients of numbers and of
    /// the shader's own constants.
    fn loop_fault(&self, entry: &str, trips: &[&str]) -> Option<String> {
        let factor = |text: &str| text.parse().unwrap_or_else(|_| u64::from(self.constant(text)));
        let most = |text: &&str| match text.split_once('/') {
            Some((whole, part)) => factor(whole.trim()) / factor(part.trim()),
            None => factor(text),
        };
        let trips: Vec<u64> = trips.iter().map(most).collect();
        let most = self.iterations(entry, &trips);
        (most > LOOP_BUDGET).then(|| format!("{most} iterations in {entry}"))
    }
}

/// How a Rust structure differs from the shader's of the same name: in names, offsets or size.
macro_rules! layout_fault {
    ($shader:expr, $type:ident, [$($field:ident),+ $(,)?]) => {{
        let ours = vec![$((stringify!($field).to_owned(), std::mem::offset_of!($type, $field))),+];
        let (ours, theirs) = ((ours, size_of::<$type>()), $shader.layout(stringify!($type)));
        (ours != theirs).then(|| format!("{}: {ours:?} instead of {theirs:?}", stringify!($type)))
    }};
}
#[cfg(feature = "gpu")]
pub(crate) use layout_fault;

/// Compares a Rust structure with the shader's of the same name.
#[cfg(feature = "gpu")]
macro_rules! same_layout {
    ($shader:expr, $type:ident, $fields:tt) => {{
        assert_eq!($crate::gpu::lint::layout_fault!($shader, $type, $fields), None, "laid out alike");
    }};
}
#[cfg(feature = "gpu")]
pub(crate) use same_layout;

fn iterations(loops: &[Loop], trips: &mut dyn Iterator<Item = u64>) -> u64 {
    let cost = |Loop(inside): &Loop| {
        let most = trips.next().expect("a number of trips for every loop");
        // The driver also counts the look that ends the loop.
        most + 1 + most * iterations(inside, trips)
    };
    loops.iter().map(cost).sum()
}

const fn is_float(inner: &TypeInner) -> bool {
    match inner {
        TypeInner::Scalar(scalar) | TypeInner::Vector { scalar, .. } | TypeInner::Atomic(scalar) => {
            matches!(scalar.kind, ScalarKind::Float | ScalarKind::AbstractFloat)
        }
        TypeInner::Matrix { .. } => true,
        _ => false,
    }
}

fn arithmetic<'a>(module: &'a Module, function: &'a Function) -> impl Iterator<Item = &'static str> + 'a {
    let literal = move |handle: Handle<Expression>| match function.expressions[handle] {
        Expression::Literal(Literal::U32(value)) => Some(value),
        Expression::Constant(constant) => match module.global_expressions[module.constants[constant].init] {
            Expression::Literal(Literal::U32(value)) => Some(value),
            _ => None,
        },
        _ => None,
    };
    // Known from the text alone to be below 32, or not to be zero.
    let below_32 = move |handle| match function.expressions[handle] {
        Expression::Binary { op: BinaryOperator::And, right, .. } => {
            literal(right).is_some_and(|mask| mask < 32)
        }
        Expression::Math { fun: MathFunction::Min, arg1: Some(most), .. } => {
            literal(most).is_some_and(|most| most < 32)
        }
        _ => literal(handle).is_some_and(|value| value < 32),
    };
    let not_zero = move |handle| match function.expressions[handle] {
        Expression::Math { fun: MathFunction::Max, arg1: Some(least), .. } => {
            literal(least).is_some_and(|least| least > 0)
        }
        _ => literal(handle).is_some_and(|value| value > 0),
    };
    function.expressions.iter().filter_map(move |(_, expression)| match *expression {
        Expression::Literal(
            Literal::F16(_) | Literal::F32(_) | Literal::F64(_) | Literal::AbstractFloat(_),
        ) => Some("a float"),
        Expression::Binary { op: BinaryOperator::ShiftLeft | BinaryOperator::ShiftRight, right, .. } => {
            (!below_32(right)).then_some("an unguarded shift")
        }
        Expression::Binary { op: BinaryOperator::Divide | BinaryOperator::Modulo, right, .. } => {
            (!not_zero(right)).then_some("an unguarded division")
        }
        _ => None,
    })
}

/// A shader, the files that stand before it, and its entry points with the most trips of each loop, those of called
/// functions included, in the order of the text.
struct Listed {
    file: &'static str,
    before: &'static [&'static str],
    entries: &'static [(&'static str, &'static [&'static str])],
}

/// Every shader.
const SHADERS: &[Listed] = &[
    Listed { file: "cost.wgsl", before: &[], entries: &[] },
    Listed { file: "meter.wgsl", before: &[], entries: &[] },
    Listed {
        file: "power.wgsl",
        before: &["meter.wgsl"],
        entries: &[("draw", &["STEPS"]), ("meter", &["HALVINGS", "HALVINGS", "STEPS"])],
    },
    Listed {
        file: "rank.wgsl",
        before: &["cost.wgsl"],
        entries: &[
            // Tiles, what a thread loads of one, its domains; what is written.
            ("scan", &["TILES", "TILE / THREADS", "TILE", "LONGEST"]),
            ("merge", &["SLICES", "LONGEST", "LONGEST"]),
        ],
    },
];

#[test]
fn every_shader_is_valid_and_keeps_the_rules() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .expect("there are shaders")
        .map(|file| file.expect("a readable folder").file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let known: Vec<&str> = SHADERS.iter().map(|listed| listed.file).collect();
    assert_eq!(files, known, "every shader is checked");
    let text = |file: &str| std::fs::read_to_string(folder.join(file)).expect("a readable file");
    for Listed { file, before, entries } in SHADERS {
        let whole: String = before.iter().chain([file]).map(|file| text(file)).collect();
        let shader = Shader::read(&whole).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(shader.faults(), [""; 0], "{file}");
        let found: Vec<&str> = shader.module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        let listed: Vec<&str> = entries.iter().map(|(entry, _)| *entry).collect();
        assert_eq!(found, listed, "the loops of every entry point of {file} are counted");
        for (entry, trips) in *entries {
            assert_eq!(shader.loop_fault(entry, trips), None, "{file}");
        }
    }
}

#[test]
fn what_breaks_a_rule_is_noticed() {
    let body = |statement: &str| {
        format!(
            "var<workgroup> pool: array<u32, 4097>;
            @group(0) @binding(0) var<storage, read_write> data: array<u32>;
            @compute @workgroup_size(1) fn main() {{ let x = data[0]; {statement} }}"
        )
    };
    for (statement, expected) in [
        ("data[1] = x << 31u;", vec![]),
        ("data[1] = x << (x & 31u);", vec![]),
        ("data[1] = x >> min(x, 31u);", vec![]),
        ("data[1] = x / 3u + x / max(x, 1u);", vec![]),
        ("data[1] = x << x;", vec!["an unguarded shift in main"]),
        ("data[1] = x >> (x & 63u);", vec!["an unguarded shift in main"]),
        ("data[1] = 7u / x;", vec!["an unguarded division in main"]),
        ("data[1] = 7u % max(x, 0u);", vec!["an unguarded division in main"]),
        ("pool[0] = x;", vec!["16388 bytes shared in main"]),
        ("data[1] = u32(f32(x));", vec!["a float in main"]),
    ] {
        let shader = Shader::read(&body(statement)).expect("valid");
        let faults = shader.faults();
        assert!(
            expected.iter().all(|fault| faults.iter().any(|found| found.starts_with(fault))),
            "{statement}: {faults:?}"
        );
        assert_eq!(faults.is_empty(), expected.is_empty(), "{statement}: {faults:?}");
    }
    assert!(Shader::read("fn f() -> u32 { return 1.5; }").is_err(), "no valid shader");
}

#[test]
fn iterations_are_counted_through_nested_loops_and_calls() {
    let text = "
        fn inner() { for (var i = 0u; i < 4u; i += 1u) { } }
        @compute @workgroup_size(1) fn main() {
            for (var i = 0u; i < 10u; i += 1u) { inner(); for (var j = 0u; j < 3u; j += 1u) { } }
            inner();
        }";
    let shader = Shader::read(text).expect("valid");
    assert_eq!(shader.loops("main"), [Loop(vec![Loop(vec![]), Loop(vec![])]), Loop(vec![])], "as nested");
    assert_eq!(
        shader.iterations("main", &[10, 4, 3, 4]),
        (10 + 1) + 10 * (5 + 4) + 5,
        "each with its last look"
    );
}

#[test]
fn loops_longer_than_the_budget_are_noticed() {
    let text = "
        const ROUNDS: u32 = 255u;
        const LANES: u32 = 64u;
        @compute @workgroup_size(1) fn main() {
            for (var i = 0u; i < ROUNDS; i += 1u) { for (var j = 0u; j < 16384u / LANES; j += 1u) { } }
        }";
    let shader = Shader::read(text).expect("valid");
    assert_eq!(shader.loop_fault("main", &["254", "16384 / LANES"]), None, "just within it");
    let fault = shader.loop_fault("main", &["ROUNDS", "16384 / LANES"]);
    assert_eq!(fault.as_deref(), Some("65791 iterations in main"), "one round more");
}

#[test]
fn a_structure_laid_out_otherwise_is_noticed() {
    #[repr(C)]
    struct Pair {
        low: u32,
        high: u32,
    }
    let shader = |text: &str| Shader::read(text).expect("valid");
    let fault = |text: &str| layout_fault!(shader(text), Pair, [low, high]);
    assert_eq!(fault("struct Pair { low: u32, high: u32 }"), None, "alike");
    for other in ["high: u32, low: u32", "low: u32, top: u32", "low: u32", "low: vec2<u32>, high: u32"] {
        assert!(fault(&format!("struct Pair {{ {other} }}")).is_some(), "{other} is another");
    }
}
