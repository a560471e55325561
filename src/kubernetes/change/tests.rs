use super::*;

#[test]
fn each_change_fits_what_it_can_be_made_to() {
    let rolled = [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet];
    let cases: [(Change, &[Kind], &[Kind]); 7] = [
        (Change::Restart, &rolled, &[Kind::Pod, Kind::Job, Kind::Service]),
        (
            Change::Scale(1),
            &[Kind::Deployment, Kind::StatefulSet, Kind::ReplicaSet],
            &[Kind::DaemonSet, Kind::Pod],
        ),
        (Change::RollBack(None), &rolled, &[Kind::ReplicaSet]),
        (Change::Delete, &[Kind::Pod, Kind::Deployment, Kind::Custom(0)], &[Kind::Node, Kind::Event]),
        (Change::Drain, &[Kind::Pod, Kind::Node, Kind::Deployment], &[Kind::Service, Kind::CronJob]),
        (Change::Suspend(true), &[Kind::CronJob, Kind::Job], &[Kind::Deployment]),
        (Change::Trigger, &[Kind::CronJob], &[Kind::Job]),
    ];
    for (change, fitting, others) in cases {
        assert!(fitting.iter().all(|kind| fits(&change, *kind)), "{change:?}");
        assert!(!others.iter().any(|kind| fits(&change, *kind)), "{change:?}");
    }
}

#[test]
fn a_triggered_job_is_the_cron_jobs_own() {
    let cron_job = json!({
        "apiVersion": "batch/v1beta1",
        "metadata": {"name": "report", "namespace": "shop", "uid": "u1"},
        "spec": {"jobTemplate": {
            "metadata": {"labels": {"app": "report"}, "annotations": {"team": "shop"}},
            "spec": {"template": {"spec": {"restartPolicy": "Never"}}},
        }},
    });
    let job = job_of(&cron_job, "report-manual-1");
    let expected = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {
            "name": "report-manual-1", "namespace": "shop", "labels": {"app": "report"},
            "annotations": {"team": "shop", "cronjob.kubernetes.io/instantiate": "manual"},
            "ownerReferences": [{"apiVersion": "batch/v1beta1", "kind": "CronJob", "name": "report", "uid": "u1",
                "controller": true}],
        },
        "spec": {"template": {"spec": {"restartPolicy": "Never"}}},
    });
    assert_eq!(job, expected);
    // whatever a server leaves out
    assert_eq!(job_of(&json!({}), "x").pointer("/spec"), Some(&json!({})));
}
