//! What is found, who goes before whom, and what is blocked.

use std::fs;
use std::path::Path;

use plugins::doctor::Report;
use plugins::inventory::{Finding, Shadowed};
use plugins::records::Source;
use plugins::roots::Blocked;
use plugins::standing::EnabledBy;
use plugins::{Origin, Standing};
use serde_json::json;

use crate::world::{World, manifest, write_package};

fn origins(world: &World) -> Vec<(String, Origin, bool)> {
    let plugins = world.inventory().plugins;
    plugins.into_iter().map(|it| (it.id.clone(), it.origin, it.is_enabled())).collect()
}

fn row(id: &str, origin: Origin, enabled: bool) -> (String, Origin, bool) {
    (id.to_owned(), origin, enabled)
}

#[test]
fn an_empty_house_has_what_is_part_of_it() {
    let world = World::new();
    assert_eq!(origins(&world), [row("builtin", Origin::Bundled, true)]);
    assert!(!world.house.extensions().exists(), "looking writes nothing");
}

#[test]
fn everything_else_runs_only_when_the_settings_name_it() {
    let mut world = World::new();
    write_package(&world.house.extensions().join("by-hand"), &manifest("by-hand", "1"));
    let linked = world.package("linked", "linked", "1");
    world.config.value = json!({ "plugins": { "load": { "paths": [linked] } } });
    let expected = [
        row("linked", Origin::LoadPath, false),
        row("builtin", Origin::Bundled, true),
        row("by-hand", Origin::Untracked, false),
    ];
    assert_eq!(origins(&world), expected);
    let entries = json!({ "linked": { "enabled": true }, "by-hand": { "enabled": true } });
    world.config.value["plugins"]["entries"] = entries;
    assert!(origins(&world).iter().all(|(_, _, enabled)| *enabled));
}

#[test]
fn of_two_with_one_id_the_nearer_one_runs() {
    let mut world = World::new();
    let copy = world.package("copy", "mine", "1.0.0");
    world.install(&copy, Source::Path).unwrap();
    world.package("many/a", "mine", "2.0.0");
    write_package(&world.house.extensions().join("x"), &manifest("builtin", "6.6.6"));
    world.config.value["plugins"]["load"]["paths"] = json!([world.path("many")]);

    let inventory = world.inventory();
    let mine = inventory.find("mine").unwrap();
    assert_eq!((mine.origin, mine.version.as_deref()), (Origin::LoadPath, Some("2.0.0")));
    assert_eq!(inventory.find("builtin").unwrap().origin, Origin::Bundled);
    let shadowed = |id: &str, origin, folder: &str, by| Shadowed {
        id: id.to_owned(),
        origin,
        root: Some(world.house.extensions().join(folder)),
        by,
        blocked: None,
    };
    let expected = [
        shadowed("builtin", Origin::Untracked, "x", Origin::Bundled),
        shadowed("mine", Origin::Installed, "mine", Origin::LoadPath),
    ];
    assert_eq!(inventory.shadowed, expected);
}

#[test]
fn two_do_not_bring_the_same_channel() {
    let mut world = World::new();
    let mut rival = manifest("rival", "1");
    rival["channels"] = json!(["builtin"]);
    write_package(&world.path("rival"), &rival);
    let path = world.path("rival");
    let installed = world.install(&path, Source::Path).unwrap();
    assert_eq!(installed.standing, Standing::Enabled(EnabledBy::Entry));
    let inventory = world.inventory();
    let taken =
        |by: &str| Blocked::ChannelTaken { channel: "builtin".to_owned(), by: by.to_owned() };
    assert_eq!(inventory.find("builtin").unwrap().standing, Err(taken("rival")));
    // The one that is off takes nothing.
    world.config.value["plugins"]["entries"]["rival"]["enabled"] = json!(false);
    assert!(world.inventory().find("builtin").unwrap().is_enabled());
}

#[cfg(unix)]
#[test]
fn folders_that_a_stranger_could_have_changed_are_there_but_blocked() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let mut world = World::new();
    let extensions = world.house.extensions();
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    let blocked = |world: &World, id: &str| world.inventory().find(id).unwrap().standing.clone();

    write_package(&extensions.join("open"), &manifest("open", "1"));
    open(&extensions.join("open"));
    let expected = Blocked::WorldWritable { path: extensions.join("open") };
    assert_eq!(blocked(&world, "open"), Err(expected));

    write_package(&extensions.join("paper"), &manifest("paper", "1"));
    let paper = extensions.join("paper/openclaw.plugin.json");
    open(&paper);
    assert_eq!(blocked(&world, "paper"), Err(Blocked::WorldWritable { path: paper }));

    let outside = world.package("outside", "outside", "1");
    symlink(&outside, extensions.join("outside")).unwrap();
    let expected = Blocked::Escapes { path: extensions.join("outside"), root: extensions.clone() };
    assert_eq!(blocked(&world, "outside"), Err(expected));

    let root = extensions.join("borrowed");
    write_package(&root, &manifest("borrowed", "1"));
    fs::remove_file(root.join("openclaw.plugin.json")).unwrap();
    let borrowed = world.path("borrowed.json");
    fs::write(&borrowed, manifest("borrowed", "1").to_string()).unwrap();
    let path = root.join("openclaw.plugin.json");
    symlink(&borrowed, &path).unwrap();
    let expected = Blocked::Escapes { path: path.clone(), root: root.clone() };
    assert_eq!(blocked(&world, "borrowed"), Err(expected));
    fs::remove_file(&path).unwrap();
    fs::hard_link(&borrowed, &path).unwrap();
    assert_eq!(blocked(&world, "borrowed"), Err(Blocked::HardLink { path }));

    // A blocked one does not keep out what could run.
    world.package("many/open", "builtin", "1");
    open(&world.path("many"));
    world.config.value = json!({ "plugins": { "load": { "paths": [world.path("many")] } } });
    let inventory = world.inventory();
    assert!(inventory.find("builtin").unwrap().is_enabled());
    let expected = Some(Blocked::WorldWritable { path: world.path("many") });
    assert_eq!(inventory.shadowed[0].blocked, expected);
}

#[test]
fn papers_that_cannot_be_read_are_shown_under_the_name_of_the_folder() {
    let world = World::new();
    for (folder, text) in [("garbled", "{"), ("deep", &"[".repeat(100_000))] {
        let root = world.house.extensions().join(folder);
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("openclaw.plugin.json"), text).unwrap();
        let found = world.inventory().find(folder).unwrap().clone();
        assert!(
            matches!(&found.standing, Err(Blocked::Unfit(why)) if why.starts_with("openclaw.plugin.json"))
        );
    }
    fs::create_dir_all(world.house.extensions().join("empty")).unwrap();
    let found = world.inventory().find("empty").unwrap().clone();
    assert!(matches!(&found.standing, Err(Blocked::Unfit(why)) if why.contains("not found")));
}

#[test]
fn the_doctor_tells_what_is_wrong_from_what_is_odd() {
    let mut world = World::new();
    let fine = Report::of(&world.inventory(), &world.settings());
    assert_eq!((fine.is_fine(), fine), (true, Report::default()));

    let path = world.package("mine", "mine", "1.0.0");
    world.install(&path, Source::Path).unwrap();
    fs::remove_dir_all(world.house.extensions().join("mine")).unwrap();
    write_package(&world.house.extensions().join("by-hand"), &manifest("by-hand", "1"));
    fs::create_dir(world.house.extensions().join("broken")).unwrap();
    fs::create_dir(world.house.extensions().join(".install-cafe")).unwrap();
    world.config.value = json!({ "plugins": {
        "allow": ["by-hand", "inner", "stranger"],
        "load": { "paths": ["/nowhere/at/all", world.path("mine/empty")] },
    } });
    fs::create_dir(world.path("mine/empty")).unwrap();
    let report = Report::of(&world.inventory(), &world.settings());
    assert!(!report.is_fine());
    assert_eq!(report.errors.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["broken"]);
    let extensions = world.house.extensions();
    let findings = [
        Finding::NoLoadPath("/nowhere/at/all".into()),
        Finding::EmptyLoadPath(world.path("mine/empty")),
        Finding::Gone { id: "mine".to_owned(), root: extensions.join("mine") },
        Finding::CutOff(extensions.join(".install-cafe")),
    ];
    assert_eq!(report.findings, findings);
    assert_eq!(report.untracked, ["broken", "by-hand"]);
    assert_eq!(report.unknown, [("plugins.allow", "stranger".to_owned())]);
}
