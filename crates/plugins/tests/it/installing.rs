//! Installing, updating, linking, switching and uninstalling.

use std::fs;
use std::path::Path;

use plugins::install::{Wanted, switch};
use plugins::records::Source;
use plugins::standing::{DisabledBy, EnabledBy};
use plugins::uninstall::Removal;
use plugins::{Edit, Origin, PackageError, PluginError, Standing, Version};
use serde_json::json;

use crate::crafted::Tar;
use crate::world::{OURS, World, manifest, write_package};

const ON: Standing = Standing::Enabled(EnabledBy::Entry);

fn version_at(root: &Path) -> String {
    let text = fs::read_to_string(root.join("openclaw.plugin.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    manifest["version"].as_str().unwrap().to_owned()
}

#[test]
fn a_folder_is_copied_and_switched_on() {
    let mut world = World::new();
    let path = world.package("mine", "mine", "1.0.0");
    fs::create_dir(path.join(".git")).unwrap();
    assert_eq!(
        world.house.wanted(path.to_str().unwrap()).unwrap(),
        Wanted::Copy { path: path.clone(), source: Source::Path }
    );

    let installed = world.install(&path, Source::Path).unwrap();
    let root = world.house.extensions().join("mine");
    assert_eq!((&installed.root, installed.standing), (&root, ON));
    assert_eq!(world.extensions(), ["mine"]);
    assert!(root.join("run").exists() && !root.join(".git").exists());
    assert_eq!(
        world.config.value,
        json!({ "plugins": { "entries": { "mine": { "enabled": true } } } })
    );

    let inventory = world.inventory();
    let found = inventory.find("mine").unwrap();
    assert_eq!((found.origin, found.is_enabled()), (Origin::Installed, true));
    assert_eq!(found.record.as_ref().unwrap().source_path, path);
    assert_eq!(inventory.findings, []);
}

#[test]
fn an_archive_as_npm_packs_it_is_installed_under_the_id_of_its_manifest() {
    let mut world = World::new();
    let papers = json!({ "name": "@vendor/mine", "version": "9.9.9" }).to_string();
    let tar = Tar::default()
        .file("package/package.json", papers.as_bytes())
        .file("package/openclaw.plugin.json", manifest("mine", "1.0.0").to_string().as_bytes())
        .mode("package/run", 0o755);
    let path = world.path("vendor-mine.tgz");
    fs::write(&path, tar.gzipped()).unwrap();

    let installed = world.install(&path, Source::Archive).unwrap();
    assert_eq!(installed.version.as_deref(), Some("1.0.0"));
    assert_eq!(world.extensions(), ["mine"]);
    assert_eq!(world.inventory().find("@vendor/mine").unwrap().id, "mine");
}

#[test]
fn what_is_there_is_replaced_only_on_request_and_stays_as_it_was_switched() {
    let mut world = World::new();
    let first = world.package("first", "mine", "1.0.0");
    let second = world.package("second", "mine", "2.0.0");
    world.install(&first, Source::Path).unwrap();
    let again = world.install(&second, Source::Path).unwrap_err();
    assert!(matches!(again, PluginError::Exists(_)), "{again}");

    let found = world.inventory().find("mine").unwrap().clone();
    let settings = world.settings();
    switch(&found, false, &settings, &mut world.config).unwrap();
    let installed = world.replace(&second, Source::Path, true).unwrap();
    assert_eq!(installed.before.as_deref(), Some("1.0.0"));
    assert_eq!(installed.standing, Standing::Disabled(DisabledBy::Entry));
    assert_eq!(version_at(&installed.root), "2.0.0");
    assert_eq!(world.extensions(), ["mine"]);
}

#[test]
fn what_was_uninstalled_while_it_was_off_is_on_when_it_is_installed_again() {
    let mut world = World::new();
    let path = world.package("mine", "mine", "1.0.0");
    world.config.value = json!({ "plugins": { "entries": { "mine": { "enabled": false } } } });
    assert_eq!(world.install(&path, Source::Path).unwrap().standing, ON);
}

#[test]
fn a_link_uses_the_folder_where_it_lies() {
    let mut world = World::new();
    let path = world.package("mine", "mine", "1.0.0");
    let installed = world.install(&path, Source::Link).unwrap();
    assert_eq!((&installed.root, installed.standing), (&path, ON));
    assert_eq!(world.extensions(), Vec::<String>::new());
    assert_eq!(world.config.value["plugins"]["load"]["paths"], json!([path]));
    let found = world.inventory().find("mine").unwrap().clone();
    assert_eq!((found.origin, found.is_enabled()), (Origin::LoadPath, true));

    // A copy takes its place, and a link that of the copy.
    world.replace(&path, Source::Path, true).unwrap();
    assert_eq!(world.config.value["plugins"]["load"]["paths"], json!([]));
    assert_eq!(world.inventory().find("mine").unwrap().origin, Origin::Installed);
    world.replace(&path, Source::Link, true).unwrap();
    assert_eq!(world.inventory().find("mine").unwrap().origin, Origin::LoadPath);
    assert_eq!(world.extensions(), Vec::<String>::new());
    assert_eq!(world.inventory().shadowed, []);

    let file = world.path("file");
    fs::write(&file, "").unwrap();
    let reason = world.install(&file, Source::Link).unwrap_err();
    assert!(matches!(reason, PluginError::NotLinkable(_)), "{reason}");
}

#[test]
fn an_update_reads_its_source_again_and_asks_when_it_wants_more() {
    let mut world = World::new();
    let path = world.package("mine", "mine", "1.0.0");
    world.install(&path, Source::Path).unwrap();
    write_package(&path, &manifest("mine", "1.1.0"));
    let found = world.inventory().find("mine").unwrap().clone();
    let prepared = world.house.prepare_update(&found).unwrap();
    assert!(!prepared.asks_for_more());
    let settings = world.settings();
    let installed = prepared.install(&settings, &mut world.config).unwrap();
    assert_eq!(
        (installed.before.as_deref(), installed.version.as_deref()),
        (Some("1.0.0"), Some("1.1.0"))
    );

    let mut more = manifest("mine", "1.2.0");
    more["channels"] = json!(["mine", "another"]);
    write_package(&path, &more);
    assert!(world.house.prepare_update(&found).unwrap().asks_for_more());

    write_package(&path, &manifest("yours", "1.0.0"));
    let reason = world.house.prepare_update(&found).err().unwrap();
    assert!(matches!(reason, PluginError::OtherPlugin { .. }), "{reason}");
    fs::remove_dir_all(&path).unwrap();
    let reason = world.house.prepare_update(&found).err().unwrap();
    assert!(matches!(reason, PluginError::NoPath(_)), "{reason}");
    assert_eq!(version_at(&installed.root), "1.1.0");
    assert_eq!(world.extensions(), ["mine"]);
}

#[test]
fn packages_for_another_host_leave_nothing() {
    let mut world = World::new();
    let check =
        |world: &mut World, name: &str, papers: serde_json::Value, npm: serde_json::Value| {
            let path = world.path(name);
            write_package(&path, &papers);
            fs::write(path.join("package.json"), npm.to_string()).unwrap();
            let err = world.install(&path, Source::Path).unwrap_err();
            assert_eq!((world.extensions(), &world.config.value), (vec![], &json!(null)));
            err.to_string()
        };
    let none = || json!({});
    let needs = |floor: &str| json!({ "openclaw": { "install": { "minHostVersion": floor } } });
    assert_eq!(
        check(&mut world, "a", manifest("specx", "1"), needs(">=2027.1.1")),
        "plugin \"specx\" requires OpenClaw >=2027.1.1, but this host is 2026.9.6"
    );
    assert!(check(&mut world, "b", manifest("b", "1"), needs("2026.1.1")).contains(">=x.y.z"));
    let mut later = manifest("c", "1");
    later["hongyan"]["minHostVersion"] = json!(">=0.2.0");
    assert!(check(&mut world, "c", later, none()).contains("requires Hongyan >=0.2.0"));
    let mut javascript = manifest("d", "1");
    javascript.as_object_mut().unwrap().remove("hongyan");
    assert!(check(&mut world, "d", javascript, none()).contains("runs inside OpenClaw"));
    let mut contract = manifest("e", "1");
    contract["hongyan"]["contract"] = json!(2);
    assert!(check(&mut world, "e", contract, none()).contains("version 2 of the contract"));
    for program in ["/bin/sh", "../run", "./gone", "a/../../run"] {
        let mut command = manifest("f", "1");
        command["hongyan"]["command"] = json!([program]);
        assert!(check(&mut world, "f", command, none()).contains("would run"), "{program}");
    }
    assert!(check(&mut world, "g", manifest("../g", "1"), none()).contains("json: id: "));
    assert!(check(&mut world, "h", json!({ "id": 7 }), none()).contains("json: id: "));
    assert!(
        check(&mut world, "i", manifest("inner", "1"), none()).contains("part of this program")
    );

    // What is needed and met is installed.
    let path = world.path("met");
    let mut met = manifest("met", "1");
    met["hongyan"]["minHostVersion"] = json!(">=0.1.0");
    write_package(&path, &met);
    fs::write(path.join("package.json"), needs(">=2026.9.6").to_string()).unwrap();
    world.install(&path, Source::Path).unwrap();
}

#[test]
fn words_that_mean_nothing_here_say_so() {
    let world = World::new();
    let wanted = |spec: &str| world.house.wanted(spec);
    assert_eq!(wanted("npm:@vendor/openclaw-builtin@1.2").unwrap(), Wanted::Bundled(OURS));
    assert!(matches!(wanted("npm:other").unwrap_err(), PluginError::Remote(_)));
    assert!(matches!(wanted("/nowhere/x.tgz").unwrap_err(), PluginError::NoPath(_)));
}

#[test]
fn a_configuration_that_refuses_leaves_everything_as_it_was() {
    let mut world = World::new();
    let first = world.package("first", "mine", "1.0.0");
    let second = world.package("second", "mine", "2.0.0");
    world.config.refuses = true;
    let reason = world.install(&first, Source::Path).unwrap_err();
    assert!(matches!(reason, PluginError::Config(_)), "{reason}");
    assert_eq!(world.extensions(), Vec::<String>::new());
    world.config.refuses = false;
    world.install(&first, Source::Path).unwrap();
    world.config.refuses = true;
    world.replace(&second, Source::Path, true).unwrap_err();
    assert_eq!(version_at(&world.house.extensions().join("mine")), "1.0.0");
    assert_eq!(world.extensions(), ["mine"]);
}

#[test]
fn an_installation_that_was_cut_off_is_taken_back_or_finished() {
    for step in ["unpacking", "ready", "taken away", "in place", "recorded", "going back"] {
        let mut world = World::new();
        let old = world.package("old", "mine", "1.0.0");
        world.install(&old, Source::Path).unwrap();
        let (place, cut) = cut_off(&world, step);

        let other = world.package("other", "other", "1.0.0");
        world.install(&other, Source::Path).unwrap();
        assert_eq!(
            version_at(&place),
            if step == "recorded" { "2.0.0" } else { "1.0.0" },
            "{step}"
        );
        assert_eq!(world.extensions(), ["mine", "other"], "{step}");
        assert!(!cut.exists(), "{step}");
    }
}

/// Leaves what a replacement of 1.0.0 by 2.0.0 leaves that is killed at a step.
fn cut_off(world: &World, step: &str) -> (std::path::PathBuf, std::path::PathBuf) {
    let place = world.house.extensions().join("mine");
    let cut = world.house.extensions().join(".install-cafe");
    fs::create_dir(&cut).unwrap();
    let new = |at: &Path| write_package(at, &manifest("mine", "2.0.0"));
    if step == "unpacking" {
        new(&cut.join("new"));
        return (place, cut);
    }
    fs::write(cut.join("id"), "mine").unwrap();
    match step {
        "ready" => new(&cut.join("ready")),
        "taken away" => {
            new(&cut.join("ready"));
            fs::rename(&place, cut.join("old")).unwrap();
        }
        "going back" => new(&cut.join("undone")),
        _ => {
            fs::rename(&place, cut.join("old")).unwrap();
            new(&place);
        }
    }
    if step == "recorded" {
        let path = world.state().join("plugins.json");
        let mut records: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        records["plugins"]["mine"]["token"] = json!("cafe");
        fs::write(&path, records.to_string()).unwrap();
    }
    (place, cut)
}

#[test]
fn a_first_installation_that_was_cut_off_leaves_nothing() {
    let mut world = World::new();
    let place = world.house.extensions().join("mine");
    let cut = world.house.extensions().join(".install-cafe");
    fs::create_dir_all(&cut).unwrap();
    fs::write(cut.join("id"), "mine").unwrap();
    write_package(&place, &manifest("mine", "1.0.0"));
    let path = world.package("mine", "mine", "1.0.0");
    world.install(&path, Source::Path).unwrap();
    assert_eq!(world.extensions(), ["mine"]);
}

#[test]
fn what_a_package_holds_does_not_steer_what_is_cleared_up() {
    let mut world = World::new();
    let mine = world.package("mine", "mine", "1.0.0");
    let victim = world.package("victim", "victim", "1.0.0");
    fs::write(mine.join("id"), "victim").unwrap();
    world.install(&victim, Source::Path).unwrap();
    drop(world.house.prepare(&mine, Source::Path, false).unwrap());
    world.install(&mine, Source::Path).unwrap();
    world.uninstall("mine");
    assert_eq!(world.extensions(), ["victim"]);
}

#[test]
fn one_installs_at_a_time() {
    let mut world = World::new();
    let path = world.package("mine", "mine", "1.0.0");
    let under_way = world.house.prepare(&path, Source::Path, false).unwrap();
    let reason = world.house.prepare(&path, Source::Path, false).err().unwrap();
    assert!(matches!(reason, PluginError::Busy), "{reason}");
    drop(under_way);
    assert_eq!(world.extensions(), Vec::<String>::new());
    world.install(&path, Source::Path).unwrap();
}

#[test]
fn many_at_once_install_it_once() {
    let mut world = World::new();
    let path = world.package("mine", "mine", "1.0.0");
    let house = &world.house;
    let settings = world.settings();
    let try_once = || {
        let mut config = crate::world::Config::default();
        house
            .prepare(&path, Source::Path, false)
            .and_then(|prepared| prepared.install(&settings, &mut config))
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(try_once)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let refusals = results.into_iter().filter_map(Result::err);
    for reason in refusals {
        assert!(matches!(reason, PluginError::Busy | PluginError::Exists(_)), "{reason}");
    }
    assert_eq!(world.extensions(), ["mine"]);
    world.config.value = json!({ "plugins": { "allow": ["mine"] } });
    assert!(world.inventory().find("mine").unwrap().is_enabled());
}

#[test]
fn switching_keeps_to_the_lists() {
    let mut world = World::new();
    let found = world.inventory().find("inner").unwrap().clone();
    let settings = world.settings();
    assert_eq!(
        switch(&found, false, &settings, &mut world.config).unwrap(),
        Standing::Disabled(DisabledBy::Entry)
    );
    assert_eq!(
        world.config.value["plugins"]["entries"],
        json!({ "builtin": { "enabled": false } })
    );

    world.config.value = json!({ "plugins": { "allow": ["x"], "entries": { "inner": {} } } });
    let settings = world.settings();
    assert_eq!(switch(&found, true, &settings, &mut world.config).unwrap(), ON);
    assert_eq!(
        world.config.value["plugins"],
        json!({ "allow": ["x", "builtin"], "entries": { "inner": { "enabled": true } } })
    );

    world.config.value = json!({ "plugins": { "deny": ["inner"] } });
    let settings = world.settings();
    let reason = switch(&found, true, &settings, &mut world.config).unwrap_err();
    assert!(matches!(reason, PluginError::Denied(_)), "{reason}");
}

#[test]
fn uninstalling_takes_away_what_it_says_and_no_more() {
    let mut world = World::new();
    let path = world.package("mine", "mine", "1.0.0");
    world.install(&path, Source::Path).unwrap();
    world.config.value["channels"] = json!({ "mine": { "a": 1 }, "yours": {} });
    fs::create_dir(world.state().join("mine")).unwrap();
    let removal = world.removal("mine").unwrap();
    let expected = Removal {
        id: "mine".to_owned(),
        name: "A channel".to_owned(),
        settings: true,
        channels: vec!["mine".to_owned()],
        folder: Some(world.house.extensions().join("mine")),
        linked: None,
    };
    assert_eq!(removal, expected);

    world.house.uninstall(&removal, &mut world.config).unwrap();
    assert_eq!(world.extensions(), Vec::<String>::new());
    assert_eq!(world.config.value["channels"], json!({ "yours": {} }));
    assert_eq!(world.config.value["plugins"]["entries"], json!({}));
    assert!(world.state().join("mine").exists() && path.exists());
    assert_eq!(world.inventory().findings, []);
    assert!(world.inventory().find("mine").is_none());
}

#[test]
fn a_linked_folder_stays_where_it_is() {
    let mut world = World::new();
    let path = world.package("mine", "mine", "1.0.0");
    world.install(&path, Source::Link).unwrap();
    let removal = world.removal("mine").unwrap();
    assert_eq!((&removal.folder, &removal.linked), (&None, &Some(path.clone())));
    world.house.uninstall(&removal, &mut world.config).unwrap();
    assert!(path.join("run").exists());
    assert_eq!(world.config.value["plugins"]["load"]["paths"], json!([]));
}

#[test]
fn what_was_never_installed_is_not_uninstalled() {
    let world = World::new();
    write_package(&world.house.extensions().join("by-hand"), &manifest("by-hand", "1"));
    assert!(matches!(world.removal("by-hand").unwrap_err(), PluginError::Untracked { .. }));
    assert!(matches!(world.removal("inner").unwrap_err(), PluginError::Bundled(_)));
    assert!(matches!(world.removal("nobody").unwrap_err(), PluginError::NotFound(_)));
}

#[test]
fn the_record_of_a_folder_that_is_gone_can_be_removed() {
    let mut world = World::new();
    let path = world.package("mine", "mine", "1.0.0");
    world.install(&path, Source::Path).unwrap();
    world.config.value["channels"] = json!({ "mine": {} });
    fs::remove_dir_all(world.house.extensions().join("mine")).unwrap();
    assert_eq!(world.inventory().findings.len(), 1);
    world.uninstall("mine");
    assert_eq!(world.inventory().findings, []);
    assert_eq!(world.config.value["channels"], json!({}));
}

#[test]
fn records_of_a_later_format_are_not_touched() {
    let mut world = World::new();
    let path = world.package("mine", "mine", "1.0.0");
    let records = world.state().join("plugins.json");
    for text in ["{\"format\":2,\"new\":[]}", "garbled"] {
        fs::write(&records, text).unwrap();
        let reason = world.install(&path, Source::Path).unwrap_err();
        assert!(matches!(reason, PluginError::Records(_)), "{reason}");
        assert_eq!(fs::read_to_string(&records).unwrap(), text);
        assert_eq!(world.extensions(), Vec::<String>::new());
    }
}

#[cfg(unix)]
#[test]
fn what_is_written_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut world = World::new();
    let path = world.package("mine", "mine", "1.0.0");
    world.install(&path, Source::Path).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.state().join("plugins.json")), 0o600);
    assert_eq!(mode(&world.house.extensions()), 0o700);
    assert_eq!(mode(&world.house.extensions().join("mine")), 0o700);
}

#[test]
fn edits_are_values_that_compare() {
    let path = vec!["plugins".to_owned(), "allow".to_owned()];
    let edit = Edit::Append { path: path.clone(), value: "a".to_owned() };
    assert_ne!(edit, Edit::Without { path, value: "a".to_owned() });
    assert!(Version::parse("2026.9.6").is_some());
    assert!(PackageError::TooLong { path: "x".into() }.to_string().starts_with('x'));
}
