module @grouped_dot_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<8x4xbf16>, %arg1: tensor<3x4x3xbf16>, %arg2: tensor<8x3xf32>) -> (tensor<8x3xf32>, tensor<8x4xbf16>, tensor<3x4x3xbf16>) {
    %0 = stablehlo.constant dense<6> : tensor<i32>
    %1 = stablehlo.iota dim = 0 : tensor<8xi32>
    %2 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<8xi32>
    %3 = stablehlo.compare LT, %1, %2, SIGNED : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi1>
    %4 = stablehlo.constant dense<0.0> : tensor<bf16>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<bf16>) -> tensor<8x4xbf16>
    %6 = stablehlo.broadcast_in_dim %3, dims = [0] : (tensor<8xi1>) -> tensor<8x4xi1>
    %7 = stablehlo.select %6, %arg0, %5 : tensor<8x4xi1>, tensor<8x4xbf16>
    %8 = stablehlo.constant dense<[2, 0, 2, 3]> : tensor<4xi32>
    %9 = stablehlo.constant dense<0> : tensor<i32>
    %10 = stablehlo.constant dense<1> : tensor<i32>
    %11 = stablehlo.constant dense<4> : tensor<i32>
    %12 = stablehlo.constant dense<0.0> : tensor<8x3xf32>
    %13:2 = stablehlo.while(%14 = %9, %15 = %12) : tensor<i32>, tensor<8x3xf32>
    cond {
      %16 = stablehlo.compare LT, %14, %11, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %16 : tensor<i1>
    } do {
    %17 = stablehlo.constant dense<2> : tensor<i32>
    %18 = stablehlo.multiply %14, %17 : tensor<i32>
    %19 = stablehlo.constant dense<0> : tensor<i32>
    %20 = stablehlo.dynamic_slice %7, %18, %19, sizes = [2, 4] : (tensor<8x4xbf16>, tensor<i32>, tensor<i32>) -> tensor<2x4xbf16>
    %21 = stablehlo.dynamic_slice %8, %14, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
    %22 = stablehlo.reshape %21 : (tensor<1xi32>) -> tensor<i32>
    %23 = stablehlo.constant dense<2> : tensor<i32>
    %24 = stablehlo.minimum %22, %23 : tensor<i32>
    %25 = stablehlo.constant dense<0> : tensor<i32>
    %26 = stablehlo.dynamic_slice %arg1, %24, %25, %25, sizes = [1, 4, 3] : (tensor<3x4x3xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x3xbf16>
    %27 = stablehlo.reshape %26 : (tensor<1x4x3xbf16>) -> tensor<4x3xbf16>
    %28 = stablehlo.dot_general %20, %27, contracting_dims = [1] x [0] : (tensor<2x4xbf16>, tensor<4x3xbf16>) -> tensor<2x3xf32>
    %29 = stablehlo.constant dense<0> : tensor<i32>
    %30 = stablehlo.dynamic_update_slice %15, %28, %18, %29 : (tensor<8x3xf32>, tensor<2x3xf32>, tensor<i32>, tensor<i32>) -> tensor<8x3xf32>
    %31 = stablehlo.add %14, %10 : tensor<i32>
    stablehlo.return %31, %30 : tensor<i32>, tensor<8x3xf32>
    }
    %32 = stablehlo.constant dense<0.0> : tensor<f32>
    %33 = stablehlo.broadcast_in_dim %32, dims = [] : (tensor<f32>) -> tensor<8x3xf32>
    %34 = stablehlo.broadcast_in_dim %3, dims = [0] : (tensor<8xi1>) -> tensor<8x3xi1>
    %35 = stablehlo.select %34, %13#1, %33 : tensor<8x3xi1>, tensor<8x3xf32>
    %36 = stablehlo.constant dense<0.0> : tensor<8x3xf32>
    %37 = stablehlo.select %34, %arg2, %36 : tensor<8x3xi1>, tensor<8x3xf32>
    %38 = stablehlo.convert %37 : (tensor<8x3xf32>) -> tensor<8x3xbf16>
    %39 = stablehlo.constant dense<0> : tensor<i32>
    %40 = stablehlo.constant dense<1> : tensor<i32>
    %41 = stablehlo.constant dense<4> : tensor<i32>
    %42 = stablehlo.constant dense<0.0> : tensor<8x4xbf16>
    %43:2 = stablehlo.while(%44 = %39, %45 = %42) : tensor<i32>, tensor<8x4xbf16>
    cond {
      %46 = stablehlo.compare LT, %44, %41, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %46 : tensor<i1>
    } do {
    %47 = stablehlo.constant dense<2> : tensor<i32>
    %48 = stablehlo.multiply %44, %47 : tensor<i32>
    %49 = stablehlo.constant dense<0> : tensor<i32>
    %50 = stablehlo.dynamic_slice %38, %48, %49, sizes = [2, 3] : (tensor<8x3xbf16>, tensor<i32>, tensor<i32>) -> tensor<2x3xbf16>
    %51 = stablehlo.dynamic_slice %8, %44, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
    %52 = stablehlo.reshape %51 : (tensor<1xi32>) -> tensor<i32>
    %53 = stablehlo.constant dense<2> : tensor<i32>
    %54 = stablehlo.minimum %52, %53 : tensor<i32>
    %55 = stablehlo.constant dense<0> : tensor<i32>
    %56 = stablehlo.dynamic_slice %arg1, %54, %55, %55, sizes = [1, 4, 3] : (tensor<3x4x3xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x3xbf16>
    %57 = stablehlo.reshape %56 : (tensor<1x4x3xbf16>) -> tensor<4x3xbf16>
    %58 = stablehlo.dot_general %50, %57, contracting_dims = [1] x [1] : (tensor<2x3xbf16>, tensor<4x3xbf16>) -> tensor<2x4xbf16>
    %59 = stablehlo.constant dense<0> : tensor<i32>
    %60 = stablehlo.dynamic_update_slice %45, %58, %48, %59 : (tensor<8x4xbf16>, tensor<2x4xbf16>, tensor<i32>, tensor<i32>) -> tensor<8x4xbf16>
    %61 = stablehlo.add %44, %40 : tensor<i32>
    stablehlo.return %61, %60 : tensor<i32>, tensor<8x4xbf16>
    }
    %62 = stablehlo.constant dense<0> : tensor<i32>
    %63 = stablehlo.constant dense<1> : tensor<i32>
    %64 = stablehlo.constant dense<4> : tensor<i32>
    %65 = stablehlo.constant dense<0.0> : tensor<3x4x3xf32>
    %66:2 = stablehlo.while(%67 = %62, %68 = %65) : tensor<i32>, tensor<3x4x3xf32>
    cond {
      %69 = stablehlo.compare LT, %67, %64, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %69 : tensor<i1>
    } do {
    %70 = stablehlo.constant dense<2> : tensor<i32>
    %71 = stablehlo.multiply %67, %70 : tensor<i32>
    %72 = stablehlo.constant dense<0> : tensor<i32>
    %73 = stablehlo.dynamic_slice %7, %71, %72, sizes = [2, 4] : (tensor<8x4xbf16>, tensor<i32>, tensor<i32>) -> tensor<2x4xbf16>
    %74 = stablehlo.constant dense<0> : tensor<i32>
    %75 = stablehlo.dynamic_slice %38, %71, %74, sizes = [2, 3] : (tensor<8x3xbf16>, tensor<i32>, tensor<i32>) -> tensor<2x3xbf16>
    %76 = stablehlo.dot_general %73, %75, contracting_dims = [0] x [0] : (tensor<2x4xbf16>, tensor<2x3xbf16>) -> tensor<4x3xf32>
    %77 = stablehlo.reshape %76 : (tensor<4x3xf32>) -> tensor<1x4x3xf32>
    %78 = stablehlo.dynamic_slice %8, %67, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
    %79 = stablehlo.reshape %78 : (tensor<1xi32>) -> tensor<i32>
    %80 = stablehlo.constant dense<2> : tensor<i32>
    %81 = stablehlo.minimum %79, %80 : tensor<i32>
    %82 = stablehlo.constant dense<0> : tensor<i32>
    %83 = stablehlo.dynamic_slice %68, %81, %82, %82, sizes = [1, 4, 3] : (tensor<3x4x3xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x3xf32>
    %84 = stablehlo.add %83, %77 : tensor<1x4x3xf32>
    %85 = stablehlo.constant dense<0> : tensor<i32>
    %86 = stablehlo.dynamic_update_slice %68, %84, %81, %85, %85 : (tensor<3x4x3xf32>, tensor<1x4x3xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x4x3xf32>
    %87 = stablehlo.add %67, %63 : tensor<i32>
    stablehlo.return %87, %86 : tensor<i32>, tensor<3x4x3xf32>
    }
    %88 = stablehlo.convert %66#1 : (tensor<3x4x3xf32>) -> tensor<3x4x3xbf16>
    %89 = stablehlo.constant dense<0.0> : tensor<8x4xbf16>
    %90 = stablehlo.select %6, %43#1, %89 : tensor<8x4xi1>, tensor<8x4xbf16>
    return %35, %90, %88 : tensor<8x3xf32>, tensor<8x4xbf16>, tensor<3x4x3xbf16>
  }
}
