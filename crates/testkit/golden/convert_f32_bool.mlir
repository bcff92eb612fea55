module @convert_f32_bool attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3xf32>) -> (tensor<3xi1>) {
    %0 = stablehlo.convert %arg0 : (tensor<3xf32>) -> tensor<3xi1>
    return %0 : tensor<3xi1>
  }
}
