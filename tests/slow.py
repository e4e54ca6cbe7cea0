"""The everyday loop: what `make test-fast` leaves out, so that all rooms are tried in a minute."""

import pytest

SLOW = (  # files, or single tests, that take more than a second or two of a core
    "pipeline/",
    "methods/test_golden.py",
    "methods/test_lkat_gan.py",
    "methods/test_mugan.py",
    "methods/test_pages.py",
    "methods/test_reference_contrastive.py",
    "methods/test_scgan.py",
    "methods/test_video_methods.py",
    "training/test_graphs.py::test_what_begins_late",
    "training/test_host_reads.py",
    "training/test_ranks.py::test_two_processes",
    "training/test_ranks.py::test_a_process_that_ends",
    "pretrained/test_authors_checkpoints.py",
    "pretrained/test_write_weights.py",
    "reporting/page/test_claims.py",
    "reporting/page/test_page.py",
    "reporting/test_statistics.py",
    "reporting/test_reporting.py::test_saved_figures",
    "metrics/test_reference_values.py",
    "metrics/test_perceptual.py",
    "loading/test_caption_policies.py",
    "loading/test_loader.py::test_another_process",
    "data/datasets/test_folders.py::test_settings_change_the_fingerprints_of_their_own_data_set_alone",
    "data/datasets/test_sample.py",
    "data/datasets/test_kaist.py",
    "data/registration/test_matcher.py",
    "data/registration/test_register.py",
    "data/registration/test_rigs.py",
    "data/cropping/test_cropping.py::test_killed_twice",
    "evaluation/test_perceptual.py",
    "evaluation/test_scoring.py::test_every_baseline",
    "serving/test_cli.py::test_the_table",
    "serving/test_demo.py",
    "serving/test_doors.py",
    "serving/test_onnx.py::test_onnx_runtime",
    "serving/test_outside.py",
    "serving/test_verify.py",
    "test_windows.py::test_every_module",
    "stages/test_first_minute.py",
    "config/test_cache_of_runs.py::test_another_size",
    "config/test_repeats.py",
    "cluster/test_experiments.py",
    "cluster/test_tasks.py",
    "cluster/test_work.py",
    "cluster/test_jobs.py::test_what_failed",
    "test_gpu_benchmark.py::test_the_small_form",
    "test_steps_by_hand.py::test_a_step",
    "test_types.py",
    "test_gpu_benchmark.py::test_the_largest_batch",
    "evaluation/test_cost.py::test_attention_counts",
    "serving/test_translate.py::test_an_image_that_needs",
    "test_public_reports.py::test_what_old_norms",
    "tracking/test_mlflow_client.py::test_a_killed",
    "tracking/test_model.py",
    "tracking/test_mlflow_client.py::test_a_training_whose",
    "tracking/test_mlflow_client.py::test_artifacts_lie",
    "tracking/test_mlflow_client.py::test_rows_tables",
    "tracking/test_mlflow_client.py::test_what_came",
    "tracking/test_mlflow_client.py::test_evaluation_finds",
    "tracking/test_places.py::test_a_copied",
    "tracking/test_tables.py::test_two_first_starts",
    "tracking/test_window.py",
    "loading/test_text_features.py::test_the_stage_leaves",
    "data/acquisition/test_audit.py::test_the_stage_writes",
    "data/datasets/test_irvi.py::test_pairs_in_another_order",
    "methods/test_thermal_mask.py::test_the_foreground_can_learn",
    "metrics/test_metrics.py::test_ciede2000_is_that_of_scikit_image",
    "metrics/test_metrics.py::test_ssim_is_that_of_the_references",
    "test_architecture.py::test_dvc_sees_every_pair",
    "test_architecture_page.py",
    "test_repro.py::test_the_stages_are",
    "training/test_trainer.py::test_pix2pix_equals_a_loop",
    "base/test_lock.py::test_three_that_each_remove",
    "data/acquisition/test_inspect.py::test_memory_does_not",
    "data/acquisition/test_unpack.py::test_a_bomb",
    "data/captioning/test_captioner.py::test_a_captioner",
    "data/captioning/test_captioner.py::test_blip",
    "data/captioning/test_captioner.py::test_what_is_no_captioner",
    "data/cropping/test_cropping.py::test_a_full_disk",
    "data/cropping/test_cropping.py::test_the_same_is_counted",
    "evaluation/test_scoring.py::test_thermal_scores_agree",
    "metrics/test_metrics.py::test_golden_spread_of_ssim",
    "metrics/test_metrics.py::test_ms_ssim",
    "metrics/test_metrics.py::test_ssim_7u",
    "pretrained/test_package_index.py::test_another",
    "reporting/test_reporting.py::test_a_name_with_dollars",
    "reporting/test_reporting.py::test_no_two_parts_of_any_table",
    "serving/test_translate.py::test_a_file_with_the_words",
    "serving/test_translate.py::test_what_is_finished",
    "stages/test_recorded.py",
    "test_architecture.py::test_the_last_stage_and_the_settings",
    "test_repro.py::test_dvc_fails",
    "training/test_checkpoint.py::test_a_flipped_bit",
    "serving/test_models.py::test_a_name_stands",
    "serving/test_video.py::test_what_is_interrupted",
    "serving/test_onnx.py::test_a_machine_without_torch",
    "networks/test_spectral.py::test_no_other_module",
    "methods/test_thermochroma.py::test_it_takes_published_weights",
    "test_benchmarks.py::test_either_library_is_timed",
    "tracking/test_mlflow_client.py::test_a_run_of_an_experiment",
    "pretrained/test_package_index.py::test_a_file_is_taken_out",
)
ONE_OF_EACH = (  # of each parametrized test of these, the first case alone: many inputs, one kind
    "base/test_decoding.py",
    "base/test_shards.py",
    "config/test_params.py",
    "config/test_params_file.py",
    "data/acquisition/",
    "data/captioning/",
    "data/cropping/test_near_duplicates.py",
    "data/cropping/test_cropping.py::test_an_image_that_was_exchanged",
    "data/datasets/test_copies.py",
    "data/test_bad_files.py",
    "networks/test_networks.py::test_every_open_point",
    "reporting/test_reporting.py",
    "serving/test_translate.py::test_mlflows_model",
    "serving/test_translate.py::test_arrays_of_another_form",
    "serving/test_video.py",
    "test_hostile.py",
    "training/test_graphs.py::test_a_recorded_training_has_the_bits",
)
FAST_BLOCKS = {"pix2pix", "tir2lab", "thermal_mask", "recycle_gan"}
"""Blocks that are examined: paired with a critic, a regression, there and back without pairs, video."""
SLOW_QUESTIONS = (
    "test_5_",
    "test_8_",
    "test_9_",
    "test_10_",
    "test_11_",
    "test_13_",
    "test_14_",
    "test_15_",
)
"""Questions of the examination that one of these blocks is asked alone."""


def is_slow_file(file: str) -> bool:
    """Whether all of a file, by its place under tests/, is left out: then it need not be imported."""
    return file.startswith(tuple(one for one in SLOW if "::" not in one))


def is_slow(item: pytest.Item) -> bool:
    """Whether a test is left out of the everyday loop."""
    name = item.nodeid.removeprefix("tests/")
    if name.startswith(SLOW) or (name.startswith(ONE_OF_EACH) and _is_a_further_case(item)):
        return True
    if not name.startswith("methods/test_examination.py") or not hasattr(item, "callspec"):
        return False
    block = item.callspec.params.get("block")
    if block is None:
        return False
    return block not in FAST_BLOCKS or (block != "pix2pix" and item.name.startswith(SLOW_QUESTIONS))


def _is_a_further_case(item: pytest.Item) -> bool:
    return hasattr(item, "callspec") and any(item.callspec.indices.values())
