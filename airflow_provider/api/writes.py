"""What may be done about each writing operation after its answer was lost: one row an operation.

    settable   a wanted state: compare; the same again changes nothing more
    guarded    the service refuses a second while the first holds
    marked     what was made carries something of ours (comment, description, name) that can be searched for
    blind      nothing tells a first from a second: it is sent at most once, and the error says what to check

``look`` tells a person where to see what became of it. ``harmless`` operations are POSTs that change nothing and are
repeated like reads. Where pages and recorded calls are silent, the careful kind was taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["settable", "guarded", "marked", "blind"]


@dataclass(frozen=True, slots=True)
class Write:
    """One row."""

    kind: Kind
    look: str
    reason: str
    harmless: bool = False


def _settable(look: str, reason: str = "the same state again changes nothing") -> Write:
    return Write("settable", look, reason)


def _gone(look: str) -> Write:
    return Write("settable", f"{look} answers 404", "what is deleted stays deleted")


def _guarded(look: str, reason: str) -> Write:
    return Write("guarded", look, reason)


def _marked(look: str, reason: str) -> Write:
    return Write("marked", look, reason)


def _blind(look: str, reason: str) -> Write:
    return Write("blind", look, reason)


WRITES: Mapping[str, Write] = {
    # Governance
    "createApprovalPolicy": _marked("listApprovalPolicies", "found by its name and trigger"),
    "updateApprovalPolicy": _settable("getApprovalPolicy"),
    "deleteApprovalPolicy": _gone("getApprovalPolicy"),
    "createChangeRequest": _marked("listChangeRequests", "found by entity, action, change and comment"),
    "updateChangeRequest": _settable("getChangeRequest", "compared before; a second edit may make a new version"),
    "createChangeRequestReview": _marked("listChangeRequestReviews", "found by user, version, status and comment"),
    "updateChangeRequestStatus": _guarded(
        "getChangeRequest", "only an approved one resolves, only an open one cancels"
    ),
    # Deployments
    "createDeploymentFromModelPackage": _marked("listDeployments", "found by label and description"),
    "createDeploymentFromLearningModel": _marked("listDeployments", "found by label and description"),
    "createDeploymentFromLeaderboard": _marked("listDeployments", "found by label and description"),
    "updateDeployment": _settable("getDeployment"),
    "deleteDeployment": _gone("getDeployment"),
    "eraseDeletedDeployments": _settable("listDeletedDeployments", "what is erased stays erased"),
    "updateDeploymentStatus": _settable("getDeployment", "409 where nothing would change"),
    "updateDeploymentSettings": _settable("getDeploymentSettings"),
    "updateDeploymentHealthSettings": _settable("getDeploymentHealthSettings"),
    "updateDeploymentAccuracyMetrics": _settable("getDeploymentAccuracyMetrics"),
    "createDeploymentTag": _marked("getDeployment", "found by name and value"),
    "updateDeploymentTag": _settable("getDeployment"),
    "deleteDeploymentTag": _gone("getDeployment"),
    "updateDeploymentSharedRoles": _settable("listDeploymentSharedRoles"),
    "replaceDeploymentRuntimeParameters": _settable("listDeploymentRuntimeParameters"),
    "updateDeploymentSecondaryDatasetConfiguration": _settable("getDeploymentSecondaryDatasetConfiguration"),
    "createDeploymentOnDemandReport": _blind("your mail", "each one makes and mails a report"),
    "createDeploymentScoringCodeBuild": _settable(
        "downloadDeploymentScoringCode", "a second build makes the same file"
    ),
    "createDeploymentModelPackageFileBuild": _settable(
        "downloadDeploymentModelPackageFile", "a second build makes the same file"
    ),
    "requestCustomModelDeploymentLogs": _settable("downloadCustomModelDeploymentLogs", "collects the same logs again"),
    # Model replacement
    "validateDeploymentModelReplacement": Write("settable", "nothing", "it only compares", harmless=True),
    "replaceDeploymentModel": _guarded("getDeployment (champion)", "check notCurrentModel refuses the champion"),
    # Actuals and predictions
    "submitDeploymentActualsFromJson": _settable("getDeploymentAccuracy", "a row replaces its own; costs quota again"),
    "submitDeploymentActualsFromDataset": _settable(
        "getDeploymentAccuracy", "rows replace their own; costs quota again"
    ),
    "submitDeploymentPredictionInputsFromDataset": _blind("getDeploymentServiceStats", "the rows would count twice"),
    "createDeploymentMonitoringDataDeletion": _blind("getDeploymentServiceStats", "newer rows might go too"),
    # Exports
    "createDeploymentActualsDataExport": _blind("listDeploymentActualsDataExports", "each one makes an export"),
    "updateDeploymentActualsDataExport": _settable("getDeploymentActualsDataExport"),
    "deleteDeploymentActualsDataExport": _gone("getDeploymentActualsDataExport"),
    "createDeploymentPredictionDataExport": _blind("listDeploymentPredictionDataExports", "each one makes an export"),
    "updateDeploymentPredictionDataExport": _settable("getDeploymentPredictionDataExport"),
    "createDeploymentTrainingDataExport": _blind("listDeploymentTrainingDataExports", "each one makes a dataset"),
    # Challengers
    "createDeploymentChallenger": _blind("listDeploymentChallengers", "a second takes one of the five places"),
    "updateDeploymentChallenger": _settable("getDeploymentChallenger"),
    "deleteDeploymentChallenger": _gone("getDeploymentChallenger"),
    "createDeploymentChallengerPredictions": _blind("the challengers' predictions", "guarded only while it runs (429)"),
    "updateDeploymentChallengerReplaySettings": _settable("getDeploymentChallengerReplaySettings"),
    # Custom metrics
    "createDeploymentCustomMetric": _guarded("listDeploymentCustomMetrics", "a name is taken once (wire.md I)"),
    "createDeploymentCustomMetricFromCustomJob": _guarded("listDeploymentCustomMetrics", "a name is taken once"),
    "updateDeploymentCustomMetric": _settable("getDeploymentCustomMetric"),
    "deleteDeploymentCustomMetric": _gone("getDeploymentCustomMetric"),
    "submitDeploymentCustomMetricValuesFromJson": _blind(
        "getDeploymentCustomMetricValuesOverTime", "the values would count twice"
    ),
    "submitDeploymentCustomMetricValuesFromDataset": _blind(
        "getDeploymentCustomMetricValuesOverTime", "the values would count twice"
    ),
    # Monitoring batches
    "createDeploymentMonitoringBatch": _marked("listDeploymentMonitoringBatches", "found by its name and description"),
    "updateDeploymentMonitoringBatch": _settable("getDeploymentMonitoringBatch"),
    "deleteDeploymentMonitoringBatch": _gone("getDeploymentMonitoringBatch"),
    "updateDeploymentMonitoringBatchModel": _settable("getDeploymentMonitoringBatchModel"),
    # Retraining
    "createDeploymentRetrainingPolicy": _marked("listDeploymentRetrainingPolicies", "found by name and description"),
    "updateDeploymentRetrainingPolicy": _settable("getDeploymentRetrainingPolicy"),
    "deleteDeploymentRetrainingPolicy": _gone("getDeploymentRetrainingPolicy"),
    "createDeploymentRetrainingPolicyRun": _guarded("listDeploymentRetrainingPolicyRuns", "one active run a policy"),
    "updateDeploymentRetrainingPolicyRun": _settable("getDeploymentRetrainingPolicyRun", "cancelled stays cancelled"),
    "updateDeploymentRetrainingSettings": _settable("getDeploymentRetrainingSettings"),
    # Model packages and registered models
    "createModelPackageFromLeaderboard": _marked("listModelPackages", "found by model, name and description"),
    "createModelPackageFromLearningModel": _marked("listModelPackages", "found by model, name and description"),
    "archiveModelPackage": _settable("getModelPackage", "what is archived stays archived"),
    "createModelPackageFromCustomModelVersion": _marked("listModelPackages", "found by model, name and description"),
    "createModelPackageFromJson": _marked("listModelPackages", "found by name and description"),
    "updateRegisteredModel": _settable("getRegisteredModel"),
    "updateRegisteredModelVersion": _settable("getRegisteredModelVersion"),
    "deleteRegisteredModel": _gone("getRegisteredModel"),
    "updateRegisteredModelSharedRoles": _settable("listRegisteredModelSharedRoles"),
    # Notifications
    "createNotificationChannel": _marked("listNotificationChannels", "found by its name"),
    "updateNotificationChannel": _settable("getNotificationChannel"),
    "deleteNotificationChannel": _gone("getNotificationChannel"),
    "createEntityNotificationChannel": _marked("listEntityNotificationChannels", "found by its name"),
    "updateEntityNotificationChannel": _settable("getEntityNotificationChannel"),
    "deleteEntityNotificationChannel": _gone("getEntityNotificationChannel"),
    "createEntityNotificationPolicy": _marked("listEntityNotificationPolicies", "found by its name"),
    "updateEntityNotificationPolicy": _settable("getEntityNotificationPolicy"),
    "deleteEntityNotificationPolicy": _gone("getEntityNotificationPolicy"),
    "createNotificationEmailChannelVerification": _blind("the mailbox", "each one mails another code"),
    "checkNotificationEmailChannelVerification": _blind("the channel", "whether a code can be used twice is not known"),
    "createNotificationWebhookChannelTest": _blind("the receiver of the webhook", "each one sends a test"),
    "createNotificationPolicy": _marked("listNotificationPolicies", "found by its name"),
    "updateNotificationPolicy": _settable("getNotificationPolicy"),
    "deleteNotificationPolicy": _gone("getNotificationPolicy"),
    "createNotificationPolicyMute": _settable("listNotificationPolicyMutes", "found by policy and entity"),
    "deleteNotificationPolicyMute": _settable("listNotificationPolicyMutes", "what is unmuted stays unmuted"),
    "resendNotification": _blind("listNotificationLogs", "each one sends the notification again"),
    "createRemoteEvent": _blind("listNotificationLogs", "each one is an event of its own"),
    "markUserNotificationRead": _settable("listUserNotifications"),
    "markAllUserNotificationsRead": _settable("listUserNotifications", "what came meanwhile is marked too"),
    "deleteUserNotification": _settable("listUserNotifications", "what is deleted stays deleted"),
    "deleteAllUserNotifications": _settable("listUserNotifications", "what came meanwhile is deleted too"),
    # Datasets
    "createDatasetFromFile": _marked("listDatasets", "found by its name, which carries a mark of ours"),
    "createDatasetFromUrl": _blind("listDatasets", "each one makes a dataset, named after its URL"),
    "createDatasetVersionFromFile": _blind("listDatasetVersions", "each one makes a version, and none carries a mark"),
    "updateDataset": _settable("getDataset"),
    "deleteDataset": _gone("getDataset"),
    # Batch predictions
    "createBatchPrediction": _blind("listBatchPredictions", "each one is a job that scores the rows"),
    "uploadBatchPredictionCsv": _settable("getBatchPrediction", "a job takes one file and refuses a second"),
    "deleteBatchPrediction": _settable("getBatchPrediction", "what is aborted stays aborted"),
    # Status records
    "deleteStatus": _gone("getStatus"),
}
