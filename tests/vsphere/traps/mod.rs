//! The traps of vSphere, CPI and CSI that boma must not fall into, each with a test of its name.
//!
//! Numbers are those of the research notes on vSphere that the design rests on. *Lab*: this
//! repository's simulator; *both*: govmomi's simulator too; *spec*: what a spec alone shows. Paths
//! without a module are below `traps`; `machines`, `permissions`, `reading`, `rules` and `site` are
//! this folder's other files, and `cli` is beside it.
//!
//! | trap | test | where |
//! |---|---|---|
//! | 0.1 provider id from the instance UUID | `guide::a_provider_id_from_the_instance_uuid_is_found`, `identity::the_bios_uuid_is_lower_case_and_not_the_instance_uuid` | spec, both |
//! | 0.2 cluster-id from vCenter | `guide::a_cluster_id_of_vcenter_is_found` | spec |
//! | 0.3 images that cannot be pulled | `guide::images_of_a_dead_registry_are_found` | spec |
//! | 0.4 password in a ConfigMap | `guide::a_password_in_the_config_map_is_found` | spec |
//! | 0.5 zone labels without tags | `guide::zone_labels_without_tags_are_found` | spec |
//! | 0.6 volumes deleted with their claim | `guide::a_reclaim_policy_that_deletes_is_found` | spec |
//! | 0.7 snapshotter without its CRDs | `cluster::a_snapshotter_comes_with_the_definitions_of_snapshots` | spec |
//! | 0.8 no check of the certificate | `guide::a_connection_that_checks_nothing_is_found`, `guide::a_certificate_that_is_not_trusted_gets_no_password` | spec, both |
//! | 2 two forms of the disk UUID | `hardware::either_form_of_the_disk_uuid_counts` | both |
//! | 2 ignored keys: read again after a write | `hardware::what_was_written_is_read_again` | both |
//! | 2 upgrade to a named version, only while off | `hardware::hardware_goes_to_the_version_asked_for` | both (the version: lab) |
//! | 2 no downgrade of hardware | `hardware::newer_hardware_is_left_alone` | lab |
//! | 2 an upgrade that waits for the guest's shutdown | `hardware::an_upgrade_is_scheduled_while_the_machine_runs`; whole: `cli::hardware` | lab |
//! | 2 controllers: four buses, those that stand stay | `hardware::controllers_come_beside_those_that_stand` | both |
//! | 2 changeVersion | `hardware::a_change_that_somebody_made_meanwhile_is_not_overwritten` | lab |
//! | 2 guest shutdown needs Tools | `hardware::a_guest_without_tools_is_not_waited_for` | lab |
//! | 2 hot add, and only more | `hardware::a_running_machine_is_not_changed_where_hot_add_is_off` | lab |
//! | 2 changes that need a power cycle | `hardware::a_power_cycle_is_said_and_needs_consent` | lab |
//! | 2 59 volumes a node | `guide::volumes_that_find_no_slot_are_found` | spec |
//! | 2 no REST for flags, roles, rules | `hardware::soap_is_all_that_is_spoken` | lab |
//! | 2 field names of REST | none: boma speaks no REST | |
//! | 3 BIOS UUID, never the instance UUID | as 0.1 | |
//! | 3 BIOS UUIDs are not unique | `identity::bios_uuids_that_are_not_unique_are_denied` | lab |
//! | 3 `config.uuid` empty for a moment | unit test `vm::tests::a_bios_uuid_that_is_empty_for_a_moment_is_none` | rows |
//! | 3 identity: id, never the name alone | `identity::a_machine_is_never_taken_by_its_name_alone`, `identity::a_machine_is_known_by_its_id_wherever_it_is` | both |
//! | 3 a mark that is not shown | `identity::a_mark_that_is_not_shown_proves_no_absence` | lab |
//! | 3 CPI needs the guest's name and address | `identity::a_machine_is_awaited_until_its_guest_tells_name_and_address` | lab |
//! | 3 container cards in guest.net | `identity::cards_of_containers_are_kept_out_of_what_the_guest_tells` | lab |
//! | 3 byte-swapped product_uuid; three ways to one UUID | `cluster::a_node_is_named_by_its_product_serial_and_never_by_its_product_uuid`; another machine's: rule `bios-uuid` | lab |
//! | 3 immutable providerID; Node and etcd member lost with a wrong one | `cli::standing_k3s::wrong_provider_ids_are_set_right_one_node_per_apply` | lab |
//! | 3 an instance UUID given for a BIOS UUID | `cli::import::what_cannot_be_meant_is_refused` | lab |
//! | 6 rules are added to, never reset | `rules::a_rule_keeps_machines_apart_and_leaves_other_rules_alone` | both (others' rules: lab) |
//! | 6 rules by name, changes by key | `placement::a_rule_is_found_by_its_name_and_changed_by_its_key` | both |
//! | 6 machines of another cluster | none: a spec has one cluster for its rules and its machines | |
//! | 6 a rule that must hold | `placement::a_rule_that_must_hold_keeps_a_machine_off`, `placement::a_rule_is_a_wish_unless_the_spec_says_otherwise`, `guide::a_rule_that_more_servers_than_hosts_must_keep_is_found` | lab, spec |
//! | 6 DRS is not licensed | `placement::an_edition_without_drs_is_named`, `placement::without_a_rule_the_servers_hosts_are_looked_at` | lab |
//! | 6 a datastore not on all hosts | `placement::a_datastore_that_a_host_does_not_reach_is_named`, `placement::a_datastore_url_that_nothing_has_is_refused` | lab |
//! | 6 a class never changes | `cluster::a_class_is_made_anew_and_nothing_with_it` | lab |
//! | 6 parameters of classes | `cluster::a_class_has_only_parameters_that_the_driver_knows` | spec |
//! | 6 expansion, default class | `guide::volumes_that_cannot_grow_are_found`, `guide::two_default_classes_are_found` | spec |
//! | 6 the storage policy exists | `placement::a_storage_policy_that_is_not_there_is_refused`, `site::storage_policies_are_read_with_the_same_session` | lab, both |
//! | 7.1 session leaks | `sessions::no_command_leaves_a_session`, `sessions::a_run_is_one_session_and_a_logout`, `sessions::a_login_that_is_refused_is_not_tried_again`, `sessions::sessions_that_do_not_last_are_not_opened_for_ever` | lab, both |
//! | 7.2 session dies mid-run | `sessions::a_session_that_dies_in_the_middle_is_opened_again_once`, `sessions::a_view_that_ends_with_its_session_is_made_again`, `reading::a_session_that_ends_in_the_middle_is_opened_again_once` | lab, vcsim |
//! | 7.3 disks of others | `practice::disks_of_others_are_neither_changed_nor_destroyed` | lab |
//! | 7.4 needless replacement | `practice::what_a_machine_was_made_from_replaces_nothing` | lab |
//! | 7.5 hidden reboots | `hardware::a_power_cycle_is_said_and_needs_consent` | lab |
//! | 7.6 perpetual diffs | `practice::an_applied_spec_has_nothing_left_to_change` | lab |
//! | 7.7 fights with DRS | `placement::moves_by_drs_are_no_drift` | lab |
//! | 7.8 waits for the guest | `practice::a_template_without_tools_is_found_before_the_first_write`, `practice::vapp_properties_of_a_template_are_found_before_the_first_write`, `practice::a_template_without_a_data_source_is_told_by_its_clone`, `identity::a_machine_is_awaited_until_its_guest_tells_name_and_address` | lab |
//! | 7.9 clones that are not resumed | `practice::a_clone_whose_answer_is_lost_is_found_by_its_mark`, `machines::an_interrupted_clone_is_waited_for_and_found_by_its_mark`, `machines::a_taken_name_is_adopted_only_with_our_mark` | lab |
//! | 7.10 opaque permission errors | `permissions::a_missing_privilege_is_named_with_the_objects_path`, `site::privileges_are_asked_for_at_once_and_named_with_the_nearest_path`, `privileges::privileges_that_are_asked_for_are_enough_and_known_before_the_first_write` | lab |
//! | 7 tasks block each other | `practice::a_machine_that_is_busy_is_worth_another_try`; cluster writes: `rules::…_leaves_other_rules_alone` | lab, both |
//! | 7 secrets in the state | `practice::no_secret_is_in_the_state` | lab |
//! | 7 authoritative permissions | `permissions::roles_and_permissions_leave_other_peoples_alone` | both |

mod cluster;
mod guide;
mod hardware;
mod identity;
mod placement;
mod practice;
mod privileges;
mod real;
mod sessions;
