ALTER TABLE answers_under_way ADD COLUMN decisions TEXT NOT NULL DEFAULT '[]';
ALTER TABLE calls ADD COLUMN tools TEXT;
