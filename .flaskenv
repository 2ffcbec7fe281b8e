FLASK_APP=marketplace.app:create_app
