"""Verbs on models."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from nncore import to_onnx
from service.dependencies import Caller, PageQuery
from service.errors import Conflict
from service.models.prediction import LoadedModel, ModelCache
from service.models.schemas import ModelPage, ModelRead, Predictions, Receipt
from service.store import blobs, models
from service.store.models import ModelRow
from service.times import rfc3339


def get(session: Session, who: Caller, model_id: str) -> ModelRead:
    """The model; raises NotFound."""
    return _read(models.get(session, who.tenant, model_id))


def page(session: Session, who: Caller, where: PageQuery) -> ModelPage:
    """Models, newest first."""
    rows = models.page(session, who.tenant, where.cursor, where.limit)
    return ModelPage(items=[_read(row) for row in rows.items], next_cursor=rows.next_cursor)


def remove(session: Session, who: Caller, model_id: str) -> None:
    """Delete the model with its weights."""
    models.remove(session, who.tenant, model_id)


def weights(session: Session, who: Caller, model_id: str) -> bytes:
    """The weights as safetensors."""
    return blobs.read(session, who.tenant, models.get(session, who.tenant, model_id).weights_id)


def receipt(session: Session, who: Caller, model_id: str) -> Receipt:
    """What the model was made from; raises Conflict for one that was not trained here."""
    row = models.get(session, who.tenant, model_id)
    kept = row.lineage
    if not kept.keys() >= _RECEIPT_KEYS:
        raise Conflict(
            f"Model {model_id} has no receipt: this service did not train it, or trained it before "
            "receipts were kept. Train it with POST /v1/jobs to get one."
        )
    return Receipt(
        model_id=row.id,
        created_at=rfc3339(row.created_at),
        code_version=kept["versions"]["gradserve"],
        **{key: kept[key] for key in _RECEIPT_KEYS},
    )


_RECEIPT_KEYS = Receipt.model_fields.keys() - {"model_id", "created_at", "code_version"}


def onnx(model: LoadedModel) -> bytes:
    """The network as an ONNX model; the preprocessing is not part of it."""
    return to_onnx(model.network, model.params)


def load(session: Session, who: Caller, cache: ModelCache, model_id: str) -> LoadedModel:
    """The model ready to predict, from memory where it was used lately."""
    row = models.get(session, who.tenant, model_id)
    loaded = cache.get(model_id)
    if loaded is None:
        data = blobs.read(session, who.tenant, row.weights_id)
        loaded = LoadedModel.load(row.network, row.preprocessing, data)
        cache.put(model_id, loaded)
    return loaded


def predict(model_id: str, model: LoadedModel, instances: list[Any]) -> Predictions:
    """One answer an instance."""
    return Predictions(model_id=model_id, predictions=model.predict(instances))


def _read(row: ModelRow) -> ModelRead:
    here = f"/v1/models/{row.id}"
    links = {
        "self": here,
        "predict": f"{here}/predict",
        "weights": f"{here}/weights",
        "onnx": f"{here}/onnx",
        "receipt": f"{here}/receipt",
    }
    if row.job_id:
        links["job"] = f"/v1/jobs/{row.job_id}"
    return ModelRead(
        id=row.id,
        name=row.name,
        task=row.task,
        network=row.network,
        input_schema=_input_schema(row.preprocessing),
        output_schema=_output_schema(row),
        metrics=row.metrics,
        lineage={key: value for key, value in row.lineage.items() if key != "spec"},
        created_at=rfc3339(row.created_at),
        links=links,
    )


def _input_schema(preprocessing: dict[str, Any]) -> dict[str, Any]:
    features = preprocessing["inputs"]["features"]
    if features[0]["type"] == "tensor":
        return {"type": "tensor", "shape": features[0]["shape"]}
    shown = ("name", "type", "categories")
    columns = [{key: each[key] for key in shown if key in each} for each in features]
    return {"type": "table", "columns": columns}


def _output_schema(row: ModelRow) -> dict[str, Any]:
    target = row.preprocessing["target"] or {}
    if "labels" in target:
        return {"type": "label", "labels": target["labels"]}
    return {"type": "value"}
