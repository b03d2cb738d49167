"""What `docker-compose up` would start, told by Compose itself without an engine: {service: containers}."""
import json
import sys

from compose.cli.command import get_profiles_from_options
from compose.config import config
from compose.config.environment import Environment
from compose.project import Project
from docker.errors import NotFound


class NoEngine:
    def inspect_network(self, name):
        raise NotFound(name)

    def inspect_volume(self, name):
        raise NotFound(name)


folder, files = sys.argv[1], sys.argv[2:]
environment = Environment.from_env_file(folder)
details = config.find(folder, files or None, environment, folder)
project = Project.from_config(
    environment.get("COMPOSE_PROJECT_NAME"),
    config.load(details),
    NoEngine(),
    enabled_profiles=get_profiles_from_options({}, environment),
)
print(json.dumps({service.name: service.scale_num for service in project.get_services(include_deps=True)}))
