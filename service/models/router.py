"""`/v1/models`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from service.dependencies import (
    CallerDep,
    DatabaseDep,
    PageDep,
    ReadSession,
    WriteSession,
    json_only,
)
from service.models import operations
from service.models.prediction import ModelCache
from service.models.schemas import ModelPage, ModelRead, Predict, Predictions, Receipt
from service.strict_json import StrictRoute

router = APIRouter(prefix="/v1/models", tags=["models"], route_class=StrictRoute)


def _cache(request: Request) -> ModelCache:
    cache: ModelCache = request.app.state.model_cache
    return cache


@router.get("")
def list_models(who: CallerDep, session: ReadSession, page: PageDep) -> ModelPage:
    """Models, newest first."""
    return operations.page(session, who, page)


@router.get("/{model_id}")
def get_model(model_id: str, who: CallerDep, session: ReadSession) -> ModelRead:
    """A model."""
    return operations.get(session, who, model_id)


@router.delete("/{model_id}", status_code=204)
def delete_model(model_id: str, who: CallerDep, session: WriteSession) -> None:
    """Delete a model with its weights."""
    operations.remove(session, who, model_id)


@router.post("/{model_id}/predict", dependencies=[Depends(json_only)])
def predict(
    model_id: str,
    body: Predict,
    who: CallerDep,
    database: DatabaseDep,
    cache: Annotated[ModelCache, Depends(_cache)],
) -> Predictions:
    """Predict for each instance."""
    with database.reading() as session:
        model = operations.load(session, who, cache, model_id)
    return operations.predict(model_id, model, body.instances)


@router.get("/{model_id}/weights", response_class=Response)
def get_weights(model_id: str, who: CallerDep, session: ReadSession) -> Response:
    """The weights as a safetensors file; tensors are named `<layer>.<weight>`."""
    data = operations.weights(session, who, model_id)
    headers = {"Content-Disposition": f'attachment; filename="{model_id}.safetensors"'}
    return Response(data, media_type="application/octet-stream", headers=headers)


@router.get("/{model_id}/receipt")
def get_receipt(model_id: str, who: CallerDep, session: ReadSession) -> Receipt:
    """What the model was made from, and the SHA-256 of the weights that came out."""
    return operations.receipt(session, who, model_id)


@router.get("/{model_id}/onnx", response_class=Response)
def get_onnx(
    model_id: str,
    who: CallerDep,
    database: DatabaseDep,
    cache: Annotated[ModelCache, Depends(_cache)],
) -> Response:
    """The network as an ONNX file: encoded features in, what the last layer says out."""
    with database.reading() as session:
        model = operations.load(session, who, cache, model_id)
    headers = {"Content-Disposition": f'attachment; filename="{model_id}.onnx"'}
    return Response(operations.onnx(model), media_type="application/octet-stream", headers=headers)
