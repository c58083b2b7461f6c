//! The rules of the house that can be read from its files.
//!
//! Each rule is a plain function from the tree to what it found, so that a rule
//! can be shown to fail: the tests beside the rules do that. The tests here
//! run the rules on the real tree, and print `file:line`, what is wrong there
//! and the way out.

mod crates;
mod modules;
mod papers;
mod rust;
mod sources;
mod tree;

use self::tree::{Tree, assert_clean};

#[test]
fn crates_lean_only_on_what_the_table_allows() {
    assert_clean(&crates::edges(&Tree::of_this_repository()));
}

#[test]
fn every_crate_shares_the_lints_of_the_workspace() {
    assert_clean(&crates::shared_lints(&Tree::of_this_repository()));
}

#[test]
fn the_backend_does_not_use_the_client() {
    assert_clean(&crates::backend_without_client(&Tree::of_this_repository()));
}

#[test]
fn the_gateway_and_the_contract_know_no_channel() {
    assert_clean(&crates::channel_agnostic(&Tree::of_this_repository()));
}

#[test]
fn the_front_door_of_a_crate_is_a_map() {
    assert_clean(&modules::front_doors(&Tree::of_this_repository()));
}

#[test]
fn every_rust_file_is_compiled() {
    assert_clean(&modules::forgotten(&Tree::of_this_repository()));
}

#[test]
fn sql_stays_in_the_stores() {
    assert_clean(&sources::sql(&Tree::of_this_repository()));
}

#[test]
fn tasks_are_spawned_in_one_place() {
    assert_clean(&sources::spawns(&Tree::of_this_repository()));
}

#[test]
fn nothing_is_silenced_or_unfinished() {
    assert_clean(&sources::shortcuts(&Tree::of_this_repository()));
}

#[test]
fn every_ignored_test_is_run_by_another() {
    assert_clean(&sources::ignored_tests(&Tree::of_this_repository()));
}

#[test]
fn a_file_can_be_read_in_one_sitting() {
    assert_clean(&sources::long_files(&Tree::of_this_repository()));
}

#[test]
fn the_two_readmes_say_the_same() {
    assert_clean(&papers::readmes(&Tree::of_this_repository()));
}

#[test]
fn links_between_documents_lead_somewhere() {
    assert_clean(&papers::links(&Tree::of_this_repository()));
}

#[test]
fn nothing_in_the_tree_points_at_one_machine() {
    assert_clean(&papers::machine_traces(&Tree::of_this_repository()));
}

#[test]
fn lock_files_name_no_hosts_and_no_banned_crates() {
    assert_clean(&papers::lock_files(&Tree::of_this_repository()));
}
