"""Schemas: Kubernetes's own, strict, and for the kinds of operators the fields that the manifests use.

The latter (CloudNativePG, the RabbitMQ Cluster Operator, KEDA, the Prometheus Operator, the Gateway API) were
written by hand, from examples and documentation of the operators, since no package has their definitions.
They know only the fields in use, so look up a field that you add to a manifest, and add it here.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import jsonschema
import kubernetes_validate
from referencing import Registry, Resource
from tests.support.manifests.documents import Document, Manifests, label_of

VERSIONS = ("1.31", "1.37")
"""The oldest Kubernetes that the guide names, and the newest whose schemas are to be had."""
Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
QUANTITY: Schema = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"}
LABELS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}


def fields(required: str = "", /, **known: Schema) -> Schema:
    """An object with these fields and no others; names of the required ones in one text."""
    return {
        "type": "object",
        "properties": known,
        "required": required.split(),
        "additionalProperties": False,
    }


def many(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


def one_of(*values: str) -> Schema:
    return {"enum": list(values)}


SELECTOR = fields(
    matchLabels=LABELS,
    matchExpressions=many(
        fields(
            "key operator",
            key=TEXT,
            operator=one_of("In", "NotIn", "Exists", "DoesNotExist"),
            values=many(TEXT),
        )
    ),
)
RESOURCES = fields(
    requests={"type": "object", "additionalProperties": QUANTITY},
    limits={"type": "object", "additionalProperties": QUANTITY},
)
SPECS: dict[str, Schema] = {
    "postgresql.cnpg.io/v1 Cluster": fields(
        "instances storage",
        instances={"type": "integer", "minimum": 1},
        imageName=TEXT,
        bootstrap=fields(
            initdb=fields(
                "database owner",
                database=TEXT,
                owner=TEXT,
                secret=fields("name", name=TEXT),
                postInitSQL=many(TEXT),
            )
        ),
        postgresql=fields(
            synchronous=fields(
                "method number",
                method=one_of("any", "first"),
                number={"type": "integer", "minimum": 1},
                dataDurability=one_of("required", "preferred"),
            ),
            parameters=LABELS,
        ),
        storage=fields("size", size=QUANTITY, storageClass=TEXT),
        resources=RESOURCES,
        affinity=fields(
            enablePodAntiAffinity={"type": "boolean"},
            topologyKey=TEXT,
            podAntiAffinityType=one_of("required", "preferred"),
        ),
    ),
    "rabbitmq.com/v1beta1 RabbitmqCluster": fields(
        replicas={"type": "integer", "minimum": 0},
        image=TEXT,
        persistence=fields(storage=QUANTITY, storageClassName=TEXT),
        tls=fields(secretName=TEXT, caSecretName=TEXT, disableNonTLSListeners={"type": "boolean"}),
        resources=RESOURCES,
        affinity=fields(
            podAntiAffinity=fields(
                requiredDuringSchedulingIgnoredDuringExecution=many(
                    fields("topologyKey", labelSelector=SELECTOR, topologyKey=TEXT)
                )
            )
        ),
        rabbitmq=fields(additionalConfig=TEXT, additionalPlugins=many(TEXT)),
        override=fields(
            statefulSet=fields(
                spec=fields(
                    template=fields(
                        spec=fields(
                            "containers",
                            containers=many(
                                fields(
                                    "name",
                                    name=TEXT,
                                    volumeMounts=many(
                                        fields("name mountPath", name=TEXT, mountPath=TEXT, subPath=TEXT)
                                    ),
                                )
                            ),
                            volumes=many(fields("name secret", name=TEXT, secret=fields(secretName=TEXT))),
                        )
                    )
                )
            )
        ),
    ),
    "keda.sh/v1alpha1 ScaledObject": fields(
        "scaleTargetRef triggers",
        scaleTargetRef=fields("name", name=TEXT, kind=TEXT, apiVersion=TEXT),
        minReplicaCount=COUNT,
        maxReplicaCount=COUNT,
        pollingInterval=COUNT,
        cooldownPeriod=COUNT,
        fallback=fields("failureThreshold replicas", failureThreshold=COUNT, replicas=COUNT),
        triggers=many(
            fields(
                "type metadata",
                type=one_of("prometheus"),
                metadata=fields(
                    "serverAddress query threshold", serverAddress=TEXT, query=TEXT, threshold=TEXT
                ),
            )
        ),
        advanced=fields(
            horizontalPodAutoscalerConfig=fields(
                behavior=fields(
                    scaleDown=fields(
                        stabilizationWindowSeconds={"type": "integer", "minimum": 0, "maximum": 3600},
                        policies=many(
                            fields(
                                "type value periodSeconds",
                                type=one_of("Pods", "Percent"),
                                value={"type": "integer", "minimum": 1},
                                periodSeconds={"type": "integer", "minimum": 1, "maximum": 1800},
                            )
                        ),
                    )
                )
            )
        ),
    ),
    "monitoring.coreos.com/v1 PodMonitor": fields(
        "selector podMetricsEndpoints",
        selector=SELECTOR,
        podMetricsEndpoints=many(
            fields(
                port=TEXT,
                path=TEXT,
                params={"type": "object", "additionalProperties": many(TEXT)},
                interval={"type": "string", "pattern": "^[0-9]+(ms|s|m)$"},
                relabelings=many(fields(sourceLabels=many(TEXT), targetLabel=TEXT, action=TEXT)),
            )
        ),
    ),
    "monitoring.coreos.com/v1 PrometheusRule": fields(
        "groups",
        groups=many(
            fields(
                "name rules",
                name=TEXT,
                interval=TEXT,
                rules=many(
                    fields(
                        "expr",
                        record=TEXT,
                        alert=TEXT,
                        expr=TEXT,
                        labels=LABELS,
                        annotations=LABELS,
                        **{"for": TEXT, "keep_firing_for": TEXT},
                    )
                ),
            )
        ),
    ),
    "gateway.networking.k8s.io/v1 Gateway": fields(
        "gatewayClassName listeners",
        gatewayClassName=TEXT,
        listeners=many(
            fields(
                "name port protocol",
                name=TEXT,
                port=COUNT,
                hostname=TEXT,
                protocol=one_of("HTTP", "HTTPS", "TLS", "TCP", "UDP"),
                tls=fields(
                    mode=one_of("Terminate", "Passthrough"), certificateRefs=many(fields("name", name=TEXT))
                ),
                allowedRoutes=fields(namespaces=fields(**{"from": one_of("All", "Same", "Selector")})),
            )
        ),
    ),
    "gateway.networking.k8s.io/v1 HTTPRoute": fields(
        parentRefs=many(fields("name", name=TEXT, sectionName=TEXT)),
        hostnames=many(TEXT),
        rules=many(
            fields(
                matches=many(fields(path=fields(type=one_of("Exact", "PathPrefix"), value=TEXT))),
                backendRefs=many(fields("name", name=TEXT, port=COUNT)),
                timeouts=fields(request=TEXT),
            )
        ),
    ),
}


def check_schemas(manifests: Manifests) -> Iterator[str]:
    """Every document has the fields that its kind knows, and no others."""
    for document in manifests.documents:
        yield from (f"{label_of(document)}: {problem}" for problem in problems_of(document))


def problems_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What the schemas object to in one document."""
    return _problems(json.dumps(document))


@functools.lru_cache(maxsize=1000)
def _problems(text: str) -> tuple[str, ...]:
    document: Document = json.loads(text)
    spec = SPECS.get(f"{document['apiVersion']} {document['kind']}")
    if spec is not None:
        validator = jsonschema.Draft202012Validator(
            fields(
                "apiVersion kind metadata spec",
                apiVersion=TEXT,
                kind=TEXT,
                metadata={"type": "object"},
                spec=spec,
            )
        )
        return tuple(f"{error.json_path}: {error.message}" for error in validator.iter_errors(document))
    return tuple(problem for version in VERSIONS for problem in _problems_of_a_built_in(document, version))


def _problems_of_a_built_in(document: Document, version: str) -> Iterator[str]:
    """As `kubernetes-validate --strict`, which reads all definitions anew for each document."""
    group, _, api_version = document["apiVersion"].rpartition("/")
    name = "-".join(filter(None, [document["kind"].lower(), group.partition(".")[0], api_version]))
    file = _folder(version) / f"{name}.json"
    if not file.is_file():
        yield f"Kubernetes {version} has no {document['apiVersion']} {document['kind']}"
        return
    schema = json.loads(file.read_text(encoding="utf-8"))
    for error in jsonschema.Draft202012Validator(schema, registry=_registry(version)).iter_errors(document):
        yield f"{version}: {error.json_path}: {error.message[:300]}"


def _folder(version: str) -> Traversable:
    schemas = resources.files(kubernetes_validate) / "kubernetes-json-schema"
    return schemas / f"v{version}.0-local-strict"


@functools.cache
def _registry(version: str) -> Registry[Any]:
    definitions = json.loads((_folder(version) / "_definitions.json").read_text(encoding="utf-8"))
    registry: Registry[Any] = Registry()
    return (Resource.from_contents(definitions) @ registry).crawl()
