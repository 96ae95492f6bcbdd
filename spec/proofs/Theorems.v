(** The main theorems: what each of them assumes. check.sh reads what this prints. *)
From TF Require Core Stamps Modes Reuse Order Workflow Scripted.
Print Assumptions Core.steps_commute.
Print Assumptions Core.every_schedule.
Print Assumptions Core.every_end.
Print Assumptions Core.some_schedule.
Print Assumptions Core.never_hangs.
Print Assumptions Core.any_limit.
Print Assumptions Stamps.stamps_of_the_run.
Print Assumptions Modes.sequential_is_concurrent.
Print Assumptions Reuse.never_stale.
Print Assumptions Reuse.same_question.
Print Assumptions Reuse.never_twice.
Print Assumptions Order.linear_extension.
Print Assumptions Order.unique.
Print Assumptions Workflow.steps_commute.
Print Assumptions Workflow.every_schedule.
Print Assumptions Workflow.never_hangs.
Print Assumptions Scripted.in_place_is_every_schedule.
Print Assumptions Scripted.successors_are_steps.
