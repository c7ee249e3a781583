"""Replicas of the platforms besides the demo's, one module each."""

from platform_sites.base import Faults, PlatformSite, Skin, serving
from platform_sites.generic import Generic
from platform_sites.gkmlpt import Gkmlpt
from platform_sites.jpaas import Jpaas
from platform_sites.trs import Trs
from platform_sites.ucap import Ucap
from platform_sites.vsb import Vsb

SKINS: dict[str, type[Skin]] = {skin.name: skin for skin in (Trs, Ucap, Gkmlpt, Vsb, Jpaas, Generic)}

__all__ = ["SKINS", "Faults", "PlatformSite", "Skin", "serving"]
