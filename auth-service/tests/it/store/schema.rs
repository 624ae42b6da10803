use auth_service::store::migrations;
use database::MigrationState;
use test_kit::TestDatabase;

test_kit::on_every_engine! {
    async fn every_migration_can_be_taken_back_and_applied_again(database: TestDatabase) {
        let db = database.database();
        let applied = migrations().up(db).await.unwrap();

        let mut taken_back = migrations().down(db, Some(0)).await.unwrap();
        taken_back.reverse();

        assert_eq!(taken_back, applied);
        assert_eq!(migrations().up(db).await.unwrap(), applied);
        let status = migrations().status(db).await.unwrap();
        assert!(status.iter().all(|one| one.state == MigrationState::Applied));
    }
}
