"""The kubernetes executor: the conformance suite on the fake cluster, with real programs in its pods."""

import pytest
from tests.support.executor_conformance import ExecutorConformance
from tests.support.kubernetes_harness import KubernetesHarness


class TestKubernetes(ExecutorConformance):
    """Run as Jobs of a cluster that answers as a real one did."""

    @pytest.fixture
    def harness(self, kubernetes: KubernetesHarness) -> KubernetesHarness:
        return kubernetes
