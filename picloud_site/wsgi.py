"""Django as a WSGI application: pages and the REST API."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picloud_site.settings")
application = get_wsgi_application()
